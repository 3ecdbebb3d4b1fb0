#include "platform/platform.h"

unsigned long platform_network_namespace(void)
{
	return 0;
}

bool platform_in_our_network(int fd)
{
	(void)fd;
	return true;
}
