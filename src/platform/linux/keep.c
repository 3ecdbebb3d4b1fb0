#include <fcntl.h>
#include <sys/prctl.h>

#include "platform/process.h"

int platform_become_reaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int platform_own_image(const char *path)
{
	(void)path;
	return open("/proc/self/exe", O_PATH | O_CLOEXEC);
}

void platform_name_process(const char *name)
{
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}
