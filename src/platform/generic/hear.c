#include <errno.h>

#include "platform/platform.h"

int platform_hear_sockets(int port, int type, bool listener, struct err *err)
{
	(void)port, (void)type, (void)listener;
	return err_set(err, ENOTSUP, "this system does not tell when a socket goes");
}

int platform_hear_addresses(struct err *err)
{
	return err_set(err, ENOTSUP, "this system does not tell when an address comes");
}

bool platform_heard(int fd)
{
	(void)fd;
	return false;
}
