#include "platform/handle.h"

#include <errno.h>

int platform_handle_open(pid_t pid)
{
	(void)pid;
	return -1;
}

int platform_handle_signal(int handle, int number)
{
	(void)handle;
	(void)number;
	errno = ENOTSUP;
	return -1;
}
