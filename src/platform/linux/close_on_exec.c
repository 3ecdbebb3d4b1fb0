#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/process.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

static bool is_inherited(int fd, int first)
{
	int flags = fd >= first ? fcntl(fd, F_GETFD) : -1;

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

void platform_close_inherited_from(int first)
{
	DIR *open_ones = opendir("/proc/self/fd");

	if (!open_ones)
		return;
	for (struct dirent *e; (e = readdir(open_ones));) {
		int fd = atoi(e->d_name);

		if (is_inherited(fd, first))
			(void)close(fd);
	}
	(void)closedir(open_ones);
}

/* close_range(2) with CLOSE_RANGE_CLOEXEC is of Linux 5.11; /proc before. */
void platform_close_on_exec_from(int first)
{
	DIR *open_ones;

	if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	if (!(open_ones = opendir("/proc/self/fd")))
		return;
	for (struct dirent *e; (e = readdir(open_ones));) {
		int fd = atoi(e->d_name);

		if (fd >= first)
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	(void)closedir(open_ones);
}
