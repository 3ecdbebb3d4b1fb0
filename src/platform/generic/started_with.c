#include <errno.h>

#include "platform/platform.h"

int platform_below_started_with(pid_t pid, const char *item, struct err *err)
{
	(void)pid;
	(void)item;
	return err_set(err, ENOTSUP, "this system does not tell a process's environment");
}

int platform_kill_children_with(pid_t parent, const char *const *items, size_t count,
				struct err *err)
{
	(void)parent;
	(void)items;
	(void)count;
	return err_set(err, ENOTSUP, "this system does not tell a process's environment");
}
