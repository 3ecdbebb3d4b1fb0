#include <errno.h>

#include "platform/platform.h"

int platform_holds_socket(pid_t pid, unsigned long inode, struct err *err)
{
	(void)pid, (void)inode;
	return err_set(err, ENOTSUP, "this system does not tell which process holds a socket");
}

int platform_socket_copies(const unsigned long *inodes, size_t count, int ms,
			   socket_copy_fn *see, void *ctx, struct err *err)
{
	(void)inodes, (void)count, (void)ms, (void)see, (void)ctx;
	return err_set(err, ENOTSUP, "this system does not tell which process holds a socket");
}

void platform_name_holders(struct holder *holders, size_t count, int ms)
{
	(void)holders, (void)count, (void)ms;
}

pid_t platform_parent(pid_t pid)
{
	(void)pid;
	return 0;
}

int platform_waits_on(pid_t pid, const unsigned long *inodes, size_t count, struct err *err)
{
	(void)pid, (void)inodes, (void)count;
	return err_set(err, ENOTSUP, "this system does not tell what a process waits on");
}
