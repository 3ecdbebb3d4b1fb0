/* What a process is beside its user: how it is scheduled, what it may become.
 *
 * Set in the child between fork and exec, so every function here is a few system
 * calls and nothing else; 0, or -1 and errno.  ENOTSUP: this system has no such
 * thing.  What is unset stays as ours. */
#ifndef HOLDPORT_PLATFORM_TRAITS_H
#define HOLDPORT_PLATFORM_TRAITS_H

#include <stdbool.h>
#include <stdint.h>

#define TRAIT_UNSET INT64_MIN	/* of a number that may be negative */

enum { PROCESSORS_MOST = 1024, CAPABILITIES_MOST = 64 };

struct processor_set {
	bool set;
	uint64_t bits[PROCESSORS_MOST / 64];
};

struct capability_set {
	bool set;		/* set and no bits: none at all */
	uint64_t bits;
};

enum io_class { IO_INHERIT, IO_REALTIME, IO_BEST_EFFORT, IO_IDLE };	/* ioprio_set(2) */

struct traits {
	int64_t nice;			/* -20 … 19 */
	int64_t oom_score_adj;		/* -1000 … 1000, proc(5) */
	struct processor_set processors;
	enum io_class io_class;
	int64_t io_priority;		/* 0 (first) … 7 */
	bool no_new_privileges;		/* prctl(2) */
	struct capability_set capabilities;	/* capabilities(7) */
};

int platform_set_nice(const struct traits *t);
int platform_set_oom(const struct traits *t);
int platform_set_processors(const struct traits *t);
int platform_set_io(const struct traits *t);
int platform_set_no_new_privileges(const struct traits *t);
/* Before the user changes: nobody below will have others than these, and the
 * change of user does not take them away.  After it: the process has these, and
 * what it executes as well (ambient), also as another user than root. */
int platform_limit_capabilities(const struct traits *t);
int platform_set_capabilities(const struct traits *t);

/* "net_bind_service" or "CAP_NET_BIND_SERVICE": its number, -1: there is none. */
int platform_capability(const char *name);
#define CAPABILITY_NAME_SIZE 64
/* Without "cap_", into buf; a number where the system has no name for it. */
const char *platform_capability_name(int number, char buf[CAPABILITY_NAME_SIZE]);

#endif
