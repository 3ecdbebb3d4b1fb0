#include "platform/count.h"

#include <errno.h>

int platform_count_connections(const struct count_socket *sockets, size_t socket_count,
			       struct count_worker *workers, size_t worker_count, int ms,
			       struct err *err)
{
	(void)sockets, (void)socket_count, (void)workers, (void)worker_count, (void)ms;
	return err_set(err, ENOTSUP, "this system does not tell who has which connection");
}
