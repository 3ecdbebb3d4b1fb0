#include "platform/platform.h"

int platform_links_open(void)
{
	return -1;
}

int platform_links_add(int set, const char *path)
{
	(void)set, (void)path;
	return -1;
}

void platform_links_remove(int set, int watch)
{
	(void)set, (void)watch;
}

int platform_links_next(int set)
{
	(void)set;
	return -1;
}
