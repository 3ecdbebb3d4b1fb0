/* A group of the system's (platform/cgroup.h) for each generation, "web.3".
 *
 * Each worker joins the group of its generation before it becomes what it is to be; when the
 * last one is gone, whatever is left in it is killed, and the group removed as soon as nobody
 * is in it.  Where no groups can be made, programs that ask for limits are refused, and all
 * others do without. */
#ifndef HOLDPORT_PROCESS_CGROUPS_H
#define HOLDPORT_PROCESS_CGROUPS_H

#include "base/list.h"
#include "config/settings.h"
#include "loop/loop.h"

struct cgroups {
	struct loop *loop;
	int base;			/* -1: there are none, and why */
	struct err why;
	struct list dying;		/* groups that are not empty yet */
	struct loop_timer again;
};

/* how: `cgroup = …`. */
void cgroups_start(struct cgroups *c, struct loop *loop, const char *how, pid_t keeper);
/* Those that nobody is in are removed: of a supervisor that was before us. */
void cgroups_tidy(struct cgroups *c);
/* What is dying is waited for, a moment at most. */
void cgroups_stop(struct cgroups *c);

/* The door through which a worker joins (a descriptor of the caller's), -1: there is no
 * group, and it needs none.  *grouped: it has one already.  -1 as the result: it needs one. */
int cgroups_enter(struct cgroups *c, const char *name, const struct program_settings *s,
		  bool *grouped, int *ret_door, struct err *err);
/* Its generation is gone. */
void cgroups_leave(struct cgroups *c, const char *name, bool kill);

#endif
