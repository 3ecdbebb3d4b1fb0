#include "platform/platform.h"

int platform_queue(int fd, int *ret_queue, int *ret_backlog)
{
	(void)fd;
	(void)ret_queue;
	(void)ret_backlog;
	return -1;
}
