#include "platform/platform.h"

int platform_first_free_port(void)
{
	return 1024;
}

bool platform_is_ephemeral(int port)
{
	(void)port;
	return false;
}
