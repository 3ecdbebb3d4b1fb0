#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "platform/platform.h"

/* Of a listener tcpi_unacked is the queue and tcpi_sacked its limit (tcp_diag,
 * Linux 2.6.25 and later; measured on 6.18).  Unix sockets have no such answer. */
int platform_queue(int fd, int *ret_queue, int *ret_backlog)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return -1;
	*ret_queue = (int)info.tcpi_unacked;
	*ret_backlog = (int)info.tcpi_sacked;
	return 0;
}
