#include "platform/platform.h"

int platform_reuse_of(const struct holder *h, bool *ret_address, bool *ret_port)
{
	(void)h, (void)ret_address, (void)ret_port;
	return -1;
}
