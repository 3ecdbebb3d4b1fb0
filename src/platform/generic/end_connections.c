#include <errno.h>

#include "platform/platform.h"

int platform_end_connections(int port, bool (*end)(const struct bound *b, void *ctx), void *ctx,
			     struct err *err)
{
	(void)port, (void)end, (void)ctx;
	return err_set(err, ENOTSUP, "this system cannot end a connection of somebody else");
}
