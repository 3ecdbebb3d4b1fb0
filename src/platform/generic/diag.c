#include <errno.h>

#include "platform/platform.h"

int platform_find_listeners(const struct sockaddr *sa, socklen_t length, int type,
			    struct holder *ret, size_t most, struct err *err)
{
	(void)sa, (void)length, (void)type, (void)ret, (void)most;
	return err_set(err, ENOTSUP, "this system does not tell who listens at an address");
}

int platform_count_leftovers(struct left_at *at, size_t count, struct err *err)
{
	(void)at, (void)count;
	return err_set(err, ENOTSUP, "this system does not tell what is left at an address");
}

int platform_find_acceptor(int fd, unsigned long *ret_inode, struct err *err)
{
	(void)fd, (void)ret_inode;
	return err_set(err, ENOTSUP, "this system does not tell who accepted a connection");
}

int platform_each_bound(int port, int type, void (*see)(const struct bound *b, void *ctx),
			void *ctx, struct err *err)
{
	(void)port, (void)type, (void)see, (void)ctx;
	return err_set(err, ENOTSUP, "this system does not tell what is left at a port");
}
