#include "platform/platform.h"

unsigned long platform_network_namespace(void)
{
	return 0;
}
