#include <errno.h>

#include "platform/platform.h"

int platform_stalls_open(void)
{
	errno = ENOTSUP;
	return -1;
}

int platform_stalls_hear(int pipe, int yes)
{
	(void)pipe;
	(void)yes;
	errno = ENOTSUP;
	return -1;
}

void platform_stalls_clear(int stalls)
{
	(void)stalls;
}
