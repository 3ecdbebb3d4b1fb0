#include "platform/cgroup.h"

#include <errno.h>
#include <stddef.h>

int platform_cgroup_open(const char *path, pid_t keeper, struct err *err)
{
	(void)path, (void)keeper;
	return err_set(err, ENOTSUP, "this system has no cgroups");
}

const char *platform_cgroup_limit(const struct cgroup_limits *l)
{
	return l->memory_max >= 0   ? "memory_max"
	       : l->cpu_weight >= 0 ? "cpu_weight"
	       : l->cpu_max	    ? "cpu_max"
	       : l->pids_max >= 0   ? "pids_max" : NULL;
}

int platform_cgroup_make(int base, const char *name, const struct cgroup_limits *l,
			 struct err *err)
{
	(void)base, (void)name, (void)l;
	return err_set(err, ENOTSUP, "this system has no cgroups");
}

static int cannot(void)
{
	errno = ENOTSUP;
	return -1;
}

int platform_cgroup_door(int base, const char *name)
{
	(void)base, (void)name;
	return cannot();
}

int platform_cgroup_kill(int base, const char *name)
{
	(void)base, (void)name;
	return cannot();
}

int platform_cgroup_remove(int base, const char *name)
{
	(void)base, (void)name;
	return cannot();
}
