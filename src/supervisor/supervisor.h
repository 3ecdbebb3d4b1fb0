/* The whole, held together: what starts in which order, and lies down in
 * reverse; what a signal means; when it is over. */
#ifndef HOLDPORT_SUPERVISOR_SUPERVISOR_H
#define HOLDPORT_SUPERVISOR_SUPERVISOR_H

#include <time.h>

#include "config/settings.h"
#include "control/control.h"
#include "keeper/link.h"
#include "logs/writer.h"
#include "process/cgroups.h"
#include "process/pid_file.h"
#include "rollout/rollout.h"
#include "socket/inherit.h"
#include "socket/store.h"
#include "supervisor/handover.h"
#include "supervisor/memory.h"
#include "supervisor/reconcile.h"
#include "supervisor/upgrade.h"
#include "supervisor/upward.h"

/* Exit codes of `holdport run` (docs/control.md). */
enum { EXIT_ORDERLY = 0, EXIT_FAILED = 1, EXIT_CONFIGURATION = 2, EXIT_ANOTHER_RUNS = 9 };

#define MANAGER_STATES(X)                                                    \
	X(BOOTING, "booting")                                                \
	X(RUNNING, "running")                                                \
	X(LEAVING, "leaving")                                                \
	X(LEFT, "left")

enum manager_state {
#define X(name, word) MANAGER_##name,
	MANAGER_STATES(X)
#undef X
};

enum { SUPERVISOR_SIGNALS = 6 };

/* Who has a socket and is no worker; each is told once. */
struct strangers {
	struct loop_timer look;
	int64_t looked;			/* when; 0: never */
	unsigned tries;			/* that were cut short */
	struct stranger {
		pid_t pid;
		unsigned long inode;
	} *told;
	size_t count;
};

/* What generations have left behind (sweep.c). */
struct sweep {
	struct loop_timer look;
	int64_t pause;			/* before the next one: a look takes time */
	struct list remains;
};

struct supervisor {
	enum manager_state state;
	const char *file;		/* what was asked for; NULL for `exec` */
	bool one_command;		/* `exec`: over when its program is */
	char **environment;		/* as we were started */
	bool succeeds;			/* an image before ours, in this process */
	struct settings *settings;	/* in force */
	struct loop *loop;
	char **words;			/* that we were started with, from the executable's on */
	struct keeper_link link;	/* of the caller, before and after */
	struct heir {			/* the keeper has ended (heir.h) */
		struct loop_timer due;
		struct loop_later become;
		bool failed;		/* said so */
	} heir;
	struct inherited inherited;	/* until the store has them */
	struct store store;
	struct log_writer output;	/* of workers, to files */
	struct cgroups cgroups;
	struct rollout rollout;
	struct control control;
	struct pid_file pid_file;
	struct upward upward;		/* of the caller, before and after */
	struct loop_signal signals[SUPERVISOR_SIGNALS];
	struct loop_timer patience;	/* shutdown_timeout */
	struct loop_later look_around;	/* is anything left to wait for? */
	struct loop_later settle;	/* does somebody serve each socket? */
	struct strangers strangers;
	struct sweep sweep;
	char *notify_dir, *private_dir, *control_path;
	int lock;			/* of the runtime directory */
	bool hurried;
	time_t started;
	unsigned reloads, recoveries, upgrades;
	int64_t leave_by;		/* loop_now(), while leaving */
	struct foster foster;		/* the keeper, for workers that it is parent of … */
	struct channel_pids adopted;	/* … which it is told in portions, and of the rest when
					 * everything was taken up */
	struct memory memory;
	struct upgrade upgrade;
	struct handover handover;
	bool follows;			/* another manager, whose state was read */
	/* Of an earlier manager, while it is taken up: */
	bool was_leaving, begin_again;	/* it was, and somebody started us */
	char *recalled_file;
	struct list recalled;		/* settings that were read */
	int exit_code;
};

/* Takes settings.  Runs until it is over; the exit code. */
int supervisor_run(struct supervisor *s, struct settings *settings);

/* Inside supervisor/: */

/* ending.c */
/* A manager before us had begun to leave: so do we. */
void supervisor_go_on(struct supervisor *s);
void supervisor_leave(struct supervisor *s);
void supervisor_hurry(struct supervisor *s, enum worker_event event);
/* Is anything left to wait for?  Asked at the end of this turn. */
void supervisor_look_around(struct supervisor *s);

/* How it goes, in a line, for who is above us. */
void supervisor_tell_upward(struct supervisor *s);

/* kept.c: from now on what the keeper says is heard. */
void supervisor_listen_to_keeper(struct supervisor *s);

/* news.c; ctx is the supervisor */
void supervisor_news(const struct news *n, void *ctx);
void supervisor_program_gone(struct rollout *r, const char *name, void *ctx);
void supervisor_socket(struct held *h, void *ctx);
void supervisor_closing(struct held *h, void *ctx);
void supervisor_suspect(const struct held *h, struct str *ret, void *ctx);

/* reload.c */
extern const struct control_ops supervisor_ops;
enum reloaded supervisor_reload(void *ctx, bool dry_run, struct faults *ret_faults,
		      void (*planned)(const struct plan *p, void *ask_ctx), ask_for_fn *ask,
		      void *ask_ctx);

/* strangers.c: a generation is gone; does anybody who is no worker have a socket? */
void supervisor_look_for_strangers(struct supervisor *s);
void supervisor_strangers_stop(struct supervisor *s);

/* sweep.c: a generation is gone; what it left behind is ended. */
void supervisor_sweep(struct supervisor *s, const struct news *n);
void supervisor_sweep_stop(struct supervisor *s);

/* serving.c */
/* A program has this state now. */
void supervisor_serve(struct supervisor *s, const char *state);
/* Sockets or settings changed: looked at at the end of this turn. */
void supervisor_settle(struct supervisor *s);

/* signals.c; those that are sent to us, and those that the keeper passes down */
void supervisor_signal(struct supervisor *s, int number);
void supervisor_signals_start(struct supervisor *s);
void supervisor_signals_stop(struct supervisor *s);

#endif
