#include "platform/platform.h"

int platform_drop_filter(int fd)
{
	(void)fd;
	return 0;
}
