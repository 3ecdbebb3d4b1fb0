#include <fcntl.h>
#include <unistd.h>

#include "platform/process.h"

static int beyond_all(void)
{
	long most = sysconf(_SC_OPEN_MAX);

	return most > 0 && most < 65536 ? (int)most : 65536;
}

void platform_close_on_exec_from(int first)
{
	for (int fd = first; fd < beyond_all(); fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void platform_close_inherited_from(int first)
{
	for (int fd = first; fd < beyond_all(); fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			(void)close(fd);
	}
}
