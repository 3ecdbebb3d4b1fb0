#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static int option_of(int fd, int option)
{
	socklen_t length = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value != 0;
}

/* pidfd_getfd(2): Linux 5.6, and the right to trace the process.  The copy is closed at
 * once; closing it does nothing to the socket. */
int platform_reuse_of(const struct holder *h, bool *ret_address, bool *ret_port)
{
	int handle = (int)syscall(SYS_pidfd_open, h->pid, 0), fd = -1, address = -1, port = -1;
	struct stat st;

	if (handle >= 0)
		fd = (int)syscall(SYS_pidfd_getfd, handle, h->fd, 0);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == h->inode) {
		address = option_of(fd, SO_REUSEADDR);
		port = option_of(fd, SO_REUSEPORT);
	}
	fd_close(&fd);
	fd_close(&handle);
	if (address < 0 || port < 0)
		return -1;
	*ret_address = address;
	*ret_port = port;
	return 0;
}
