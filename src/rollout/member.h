/* A worker in its generation, with all that watches it: its proof, its notify
 * socket, its output.  What it meets goes to its generation. */
#ifndef HOLDPORT_ROLLOUT_MEMBER_H
#define HOLDPORT_ROLLOUT_MEMBER_H

#include "drain/drain.h"
#include "health/ack.h"
#include "health/checkup.h"
#include "health/notify.h"
#include "health/proof.h"
#include "health/vitals.h"
#include "health/watchdog.h"
#include "intercept/intercept.h"
#include "logs/capture.h"
#include "process/pid_file.h"
#include "process/worker.h"
#include "rollout/renew.h"

struct generation;
struct seat;

/* So many of something since then. */
struct allowance {
	unsigned used;
	int64_t since;			/* loop_now() */
};

/* What outlives us of it: both ends of its output are open until it has ended, what
 * it says waits in the socket. */
#define MEMBER_KEPT(X) X(OUT, "out") X(ERR, "err") X(NOTIFY, "notify") X(ACK, "ack") \
	X(READY, "ready") X(LISTENER, "listener")
enum {
#define X(name, word) MEMBER_##name,
	MEMBER_KEPT(X)
#undef X
	MEMBER_KEEPS
};

/* What a successor has to know of it beside its worker. */
struct member_memory {
	struct worker_memory worker;
	unsigned index, slot;
	bool seated, stale;		/* stale: a socket of it was bound anew since */
	struct means *means;		/* that it was started with */
	const char *status, *proved_by;	/* borrowed */
	int error;
	bool reloading, stopping, leaving, spare, renewed;
	unsigned renew;
	struct vitals vitals;
	int64_t reload_began, reloaded, watchdog_ms, proof_began, serves_since, renew_since;
	uint64_t listened;		/* intercept_remember() */
	unsigned kept[MEMBER_KEEPS];
};

struct member {
	struct list node;		/* in its generation */
	struct generation *generation;
	struct seat *seat;		/* NULL: its seat was closed, it is on its way out */
	struct means *means;		/* that it was started with; holds a reference */
	struct held **held;		/* what it was given: of groups, its slot */
	unsigned bindings;		/* means_bindings() at its start */
	unsigned index, slot;
	char *private_dir;		/* of its program (runtime directory); NULL: none */
	char *name;			/* "web/3/0" */
	char *status;			/* STATUS=, as sent; NULL: never */
	int error;			/* ERRNO=, 0: never */
	bool reloading, stopping;	/* it said so */
	int64_t reload_began, reloaded;	/* loop_now() */
	bool leaving;			/* missed its watchdog, or stops by itself */
	bool unheard;			/* whether it is ready it may have said to nobody */
	struct allowance tells, claims;	/* log lines and events about it; MAINPID */
	int64_t watchdog_ms;		/* configured, or WATCHDOG_USEC=; 0: none */
	const char *proved_by;		/* NULL: not proved */
	struct worker worker;
	struct notify notify;
	struct ack ack;			/* with handoff = einhorn */
	struct intercept intercept;	/* with handoff = intercept */
	int door;			/* until it is started; -1: none, or the intercept's */
	char *door_path;		/* NULL: its calls are not preloaded */
	struct proof proof;
	struct watchdog watchdog;
	struct checkup checkup;		/* health, where each worker is asked … */
	struct vitals vitals;		/* … and what came of it */
	int64_t serves_since;		/* loop_now(); 0: never */
	struct loop_timer age;		/* until it is too old */
	unsigned renew;			/* it shall be replaced: a bit each enum renew_why … */
	int64_t renew_since;
	bool renewed;			/* … and goes before another one comes */
	struct drain drain;
	struct capture out, err;
	unsigned kept[MEMBER_KEEPS];	/* numbers in custody */
	struct pid_file pid_file;
};

/* NULL: no process was made, and why. */
struct member *member_start(struct generation *g, struct seat *seat, struct err *err);
void member_free(struct member *m);
/* What is its own in the directory for notification. */
char *member_path(const struct member *m, const char *what);
/* One that an earlier manager started. */
struct member *member_adopt(struct generation *g, struct seat *seat,
			    const struct member_memory *memory);
void member_remember(const struct member *m, struct member_memory *ret);
/* member_output.c: where its output goes, whether that can be said; and it goes there.
 * Takes both, -1: none. */
int member_can_listen(const struct member *m, struct err *err);
void member_listen(struct member *m, int out, int errors);
/* Its pid file, once it is proved; again when its main process is another one. */
void member_write_pid(struct member *m);

/* What is launched for it, by these means. */
struct launch_spec member_spec(const struct member *m, const struct means *means);
/* A command beside it, of ready or health; it is told the pid. */
int member_command(const struct member *m, const struct launch_spec *worker,
		   const struct ready *how, struct launch *ret, struct err *err);
/* http:…, of ready or health: where the question goes. */
int member_target(const struct launch_spec *spec, const struct ready *how, struct target *ret,
		  struct err *err);

/* Why one that ended, or was given up, did not do: a sentence.  Adds its last
 * lines to ret_lines. */
char *member_failure(const struct member *m, struct text_list *ret_lines);

#endif
