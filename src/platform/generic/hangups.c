#include "platform/platform.h"

int platform_hangups_open(void)
{
	return -1;
}

int platform_hangups_add(int set, int fd)
{
	(void)set, (void)fd;
	return -1;
}

void platform_hangups_remove(int set, int fd)
{
	(void)set, (void)fd;
}

int platform_hangups_next(int set)
{
	(void)set;
	return -1;
}

bool platform_same_file(int a, int b)
{
	return a == b;
}
