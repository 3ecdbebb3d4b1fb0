#include <errno.h>

#include "platform/platform.h"

int platform_below_started_with(pid_t pid, const char *item, struct err *err)
{
	(void)pid;
	(void)item;
	return err_set(err, ENOTSUP, "this system does not tell a process's environment");
}

int platform_kill_children(pid_t parent, environment_fn *is_one, void *ctx, struct err *err)
{
	(void)parent, (void)is_one, (void)ctx;
	return err_set(err, ENOTSUP, "this system does not tell a process's environment");
}
