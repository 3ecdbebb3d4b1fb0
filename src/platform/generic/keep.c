#include <errno.h>
#include <fcntl.h>

#include "platform/process.h"

int platform_become_reaper(void)
{
	errno = ENOTSUP;
	return -1;
}

int platform_own_image(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

void platform_name_process(const char *name)
{
	(void)name;
}
