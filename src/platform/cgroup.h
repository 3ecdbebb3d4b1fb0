/* Groups of processes that the system keeps (cgroups(7), version 2): whoever is born in one
 * stays in it, whatever becomes of his parent and of his process group.
 *
 * base is a directory of that file system, held open; a group is a directory in it. */
#ifndef HOLDPORT_PLATFORM_CGROUP_H
#define HOLDPORT_PLATFORM_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* What those in a group may have together; -1, NULL: whatever the system gives. */
struct cgroup_limits {
	int64_t memory_max;		/* bytes */
	int64_t cpu_weight;		/* 1 … 10000 */
	char *cpu_max;			/* "50000 100000": microseconds of a period */
	int64_t pids_max;
};

/* path: from the root of the hierarchy, made if only its last part is not there.  NULL: the
 * group that we are in, if it was given into our hands.  A base that we are in ourselves is
 * left by us and `keeper`, for a leaf in it: only then may it have limits for others.
 * The descriptor, -1. */
int platform_cgroup_open(const char *path, pid_t keeper, struct err *err);
/* What one of these limits is called, that is set; NULL: none is. */
const char *platform_cgroup_limit(const struct cgroup_limits *l);
/* Makes a group that is not there.  EEXIST: it is, and somebody is in it. */
int platform_cgroup_make(int base, const char *name, const struct cgroup_limits *l,
			 struct err *err);
/* A descriptor at which whoever writes "0" joins it; -1 and errno. */
int platform_cgroup_door(int base, const char *name);
/* Everybody in it is killed.  0, or -1 and errno. */
int platform_cgroup_kill(int base, const char *name);
/* With those below it that nobody is in.  -1 and errno (EBUSY: somebody is in it). */
int platform_cgroup_remove(int base, const char *name);

#endif
