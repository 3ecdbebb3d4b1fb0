/* From a program's settings to the description of one worker's process.
 *
 * Resolves the late expansions, finds the executable, lays out the descriptors:
 * 0 is /dev/null or, with handoff `stdin`, the first socket; 1 and 2 as the
 * caller says; from 3 on the declared sockets, contiguous, in order; a readiness
 * descriptor where `ready = fd:N` wants it. */
#ifndef HOLDPORT_PROCESS_LAUNCH_H
#define HOLDPORT_PROCESS_LAUNCH_H

#include "base/err.h"
#include "base/text_list.h"
#include "config/settings.h"
#include "platform/process.h"
#include "process/executable.h"
#include "process/fd_store.h"
#include "socket/store.h"

#define LAUNCH_FIRST_FD 3	/* SD_LISTEN_FDS_START, sd_listen_fds(3) */

struct launch_spec {
	const struct program_settings *program;
	/* NULL: the program's.  Otherwise a command beside a worker: as the same user
	 * in the same place, but without sockets, notification and output. */
	const struct text_list *command;
	struct held *const *held;	/* one an address, in the order declared */
	size_t held_count;
	const struct kept_fd *kept;	/* left by earlier workers, behind those */
	size_t kept_count;
	unsigned generation, index, slot;
	struct executable *executable;	/* started from it, or held in it; NULL: neither */
	const char *notify_path;	/* NULL: no NOTIFY_SOCKET */
	const char *ack_path;		/* for HANDOFF_EINHORN */
	const char *door_path;		/* for HANDOFF_INTERCEPT by preloading */
	const char *private_dir;	/* NULL: it has none */
	const int *cgroup;		/* the door of its group; NULL: none */
	int ready_fd;			/* what becomes program->ready.fd, or -1 */
	int out, err;			/* what becomes 1 and 2, or SPAWN_FD_NULL */
};

/* The values of late expansions for one worker. */
struct launch_names {
	const struct launch_spec *spec;
	bool used_fd;			/* somebody asked for ${fd:…} */
};

/* Where it begins: what is left of a launch once it is forked. */
struct launch_place {
	char *path, *directory;
};

struct launch {
	struct launch_place place;
	struct text_list argv, env;
	struct spawn_limit *limits;
	int *fds;
	struct spawn spawn;		/* points into the rest */
};

/* Who it runs as. */
void launch_identify(const struct program_settings *p, struct spawn *s);

/* What cannot be launched says why: a command that is not there, not
 * executable; an expansion that has no value. */
int launch_prepare(const struct launch_spec *spec, struct launch *ret, struct err *err);
void launch_fini(struct launch *l);
/* It has been forked, and goes but for its place, for launch_explain(). */
struct launch_place launch_forked(struct launch *l);
void launch_place_fini(struct launch_place *p);
/* One more variable, "NAME=value". */
void launch_put(struct launch *l, const char *item);

/* How many of the kept ones this worker gets: those that can be announced. */
size_t launch_kept(const struct launch_spec *spec);

/* A late value (pid_file) for this worker; the caller owns it, NULL: err. */
char *launch_expand(struct launch_names *names, const char *text, struct err *err);

/* Why exec(2) or a step before it failed, in a sentence a user can act on. */
void launch_explain(const struct launch_place *l, const struct program_settings *p, int why,
		    const char *step, struct err *err);

#endif
