#include <errno.h>

#include "platform/platform.h"

static int cannot(struct err *err)
{
	return err_set(err, ENOTSUP, "this system cannot bind an address beside itself");
}

int platform_deafen(int fd, unsigned number, struct err *err)
{
	(void)fd;
	(void)number;
	return cannot(err);
}

int platform_hear(int fd, const char *device, struct err *err)
{
	(void)fd;
	(void)device;
	return cannot(err);
}

int platform_prefer(int fd, unsigned place, struct err *err)
{
	(void)fd;
	(void)place;
	return cannot(err);
}

int platform_share(int fd, bool shared, struct err *err)
{
	(void)fd;
	(void)shared;
	return cannot(err);
}

bool platform_is_deaf(int fd)
{
	(void)fd;
	return false;
}

bool platform_hears(int fd, const char *device)
{
	(void)fd;
	(void)device;
	return true;
}
