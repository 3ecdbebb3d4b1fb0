/* The control socket: varlink methods over a rollout, a store and the whole.
 *
 * What only the whole can do (read the configuration again, end) is asked of
 * its owner through control_ops. */
#ifndef HOLDPORT_CONTROL_CONTROL_H
#define HOLDPORT_CONTROL_CONTROL_H

#include <time.h>

#include "config/settings.h"
#include "control/events.h"
#include "control/varlink.h"
#include "rollout/plan.h"
#include "rollout/program.h"

struct control_facts {
	time_t started;
	const char *config;		/* NULL: none was read */
	unsigned reloads, recoveries, upgrades;
	bool leaving;
	pid_t keeper;			/* 0: none */
};

struct snapshot;

/* Who wants to know the outcome for this program; NULL: nobody. */
typedef struct ask *ask_for_fn(const char *program, void *ctx);

/* The last one that was asked for. */
struct control_upgrade {
	unsigned number;		/* 0: none was */
	bool under_way, done;
	const char *text;		/* how it ended */
	const char *request;		/* the name by which it was asked for; NULL: none */
};

enum reloaded {
	RELOAD_DONE,
	RELOAD_REFUSED,			/* what the configuration says will not do */
	RELOAD_FAILED,			/* what is in its way now: another time it may do */
};

struct control_ops {
	void (*facts)(void *ctx, struct control_facts *ret);
	/* Reads and plans; carries the plan out unless dry_run.  If not done, nothing
	 * was changed, and ret_faults says why.  planned() is told the plan before
	 * anything is done. */
	enum reloaded (*reload)(void *ctx, bool dry_run, struct faults *ret_faults,
				void (*planned)(const struct plan *p, void *ask_ctx),
				ask_for_fn *ask_for, void *ask_ctx);
	void (*shut_down)(void *ctx);
	/* For a successor, at once; and_programs: with what has just become of them, in one. */
	void (*record)(void *ctx, const struct str *text, bool and_programs);
	/* Its number; -1: err says why there is none. */
	int (*upgrade)(void *ctx, const char *request, struct err *err);
	void (*upgraded)(void *ctx, struct control_upgrade *ret);
};

struct control {
	struct varlink varlink;
	struct events events;
	struct rollout *rollout;
	struct store *store;
	struct list changes;		/* those that have a name (change.h) */
	struct list ending;		/* calls of Shutdown that wait */
	struct list upgrading;		/* calls of Upgrade and UpgradeOutcome */
	int64_t walked;			/* when processes were last looked at; 0: never */
	int64_t counting_took;		/* ms, the last time that connections were counted */
	const struct control_ops *ops;
	void *ctx;
};

/* Before anything happens; rollout, store, ops and ctx are set. */
void control_init(struct control *c);
void control_fini(struct control *c);
/* fd: an earlier manager's listening socket at path, taken over; -1: none. */
int control_start(struct control *c, struct loop *loop, const char *path, int fd,
		  struct err *err);
void control_stop(struct control *c);
/* Who may what from now on. */
static inline void control_groups(struct control *c, const struct supervisor_settings *s)
{
	c->varlink.groups = (struct varlink_groups){ s->read_gid, s->change_gid };
}
/* change_record.c: what was asked by name, for a successor; as one, after the programs. */
void changes_record(const struct control *c, struct str *out);
void changes_revive(struct control *c, const struct snapshot *before);
/* Everything has ended: whoever asked for it is told. */
void control_ended(struct control *c);
/* The upgrade under way has an outcome: whoever waits for it is told. */
void control_upgraded(struct control *c);

/* Inside control/: */
static inline struct control *control_of(const struct call *c)
{
	return call_owner(c);
}
json_t *status_json(struct control *c, json_t *names, const char **ret_unknown);
/* "supervisor", the worker that a process is or descends from, or NULL: a stranger. */
const char *control_holder(const struct control *c, pid_t pid);
json_t *socket_json(const struct held *h);	/* type Socket */
void describe_sockets(struct call *c, json_t *parameters);
void describe_logs(struct call *c, json_t *parameters);
void change_start(struct call *c, json_t *parameters);
void change_stop(struct call *c, json_t *parameters);
void change_restart(struct call *c, json_t *parameters);
void change_rollback(struct call *c, json_t *parameters);
void change_scale(struct call *c, json_t *parameters);
void change_reload(struct call *c, json_t *parameters);
void upgrade_ask(struct call *c, json_t *parameters);
void upgrade_outcome(struct call *c, json_t *parameters);
void watch_events(struct call *c, json_t *parameters);
void watch_state(struct call *c, json_t *parameters);
void watch_end(struct call *c, json_t *parameters);
void describe_service(struct call *c, json_t *parameters);
void describe_interface(struct call *c, json_t *parameters);
void no_such_program(struct call *c, const char *name);
/* Answers NoSuchProgram and returns NULL if there is none. */
struct program *named_program(struct call *c, const char *name);
/* Answers InvalidParameter. */
void bad_parameter(struct call *c, const char *name);
/* Answers ShuttingDown and returns true if it is so. */
bool is_leaving(struct call *c);

#endif
