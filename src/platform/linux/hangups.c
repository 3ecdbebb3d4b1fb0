/* An epoll set whose members ask for no event: EPOLLHUP and EPOLLERR come unasked
 * (epoll_ctl(2)). */
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kcmp.h>

#include "platform/platform.h"

int platform_hangups_open(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

int platform_hangups_add(int set, int fd)
{
	struct epoll_event none = { .data = { .fd = fd } };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &none);
}

void platform_hangups_remove(int set, int fd)
{
	(void)epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL);
}

int platform_hangups_next(int set)
{
	struct epoll_event one;

	return epoll_wait(set, &one, 1, 0) == 1 ? one.data.fd : -1;
}

bool platform_same_file(int a, int b)
{
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b) == 0;
}
