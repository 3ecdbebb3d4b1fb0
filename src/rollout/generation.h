/* The workers of a program that were started together, by one means.
 *
 * A seat is a place for one worker.  An open seat is filled again when its
 * worker ends: at once if it was proved, after a growing pause if not.  A closed
 * seat lets its worker go; the worker stays a member until it is gone. */
#ifndef HOLDPORT_ROLLOUT_GENERATION_H
#define HOLDPORT_ROLLOUT_GENERATION_H

#include "rollout/generation_state.h"
#include "rollout/means.h"
#include "rollout/member.h"
#include "rollout/strategy.h"

struct program;

struct seat {
	struct generation *generation;
	unsigned index;
	bool open;
	bool done, done_well;		/* ended for good (restart = …) */
	bool proved_once;
	struct member *member;		/* NULL: none now */
	struct member *spare;		/* takes its place once it is proved; NULL: none */
	unsigned failures;		/* in a row, never proved */
	struct loop_timer again;
	int64_t again_at;		/* loop_now(), while it runs */
};

struct generation {
	struct list node;		/* in its program, oldest first */
	struct program *program;
	unsigned number;
	unsigned wish;			/* the request that it answers */
	enum generation_state state;
	struct means *means;
	struct seat **seats;
	size_t seat_count;
	struct list members;		/* living workers, closed seats' too */
	const char *proved_by;		/* NULL until the first proof */
	bool takes_over;		/* what is new comes to its sockets (takeover.h) */
	bool hurried;			/* it is beyond max_generations */
	bool grouped;			/* it has a group of the system's (process/cgroups.h) */
	/* rollback_window (goback.h): */
	int64_t current_since;		/* loop_now(); 0: never */
	unsigned deaths;		/* of its workers since, none of them asked for or well */
	bool judged;			/* it was gone back to, or is being taken back */
	char *condemned;		/* why it is taken back; NULL: it is not */
	bool halted;			/* failed half way with on_failure = stop */
	char *failure;			/* the first one, or NULL */
	struct text_list failure_lines;
};

struct generation *generation_new(struct program *p, unsigned number, unsigned wish,
				  struct means *means);
void generation_free(struct generation *g);	/* only without members */

/* Of its group, of any; the caller owns it. */
char *generation_group(const struct generation *g);

/* Of a seat, as a successor has to know it. */
struct seat_memory {
	unsigned index, failures;
	bool open, done, done_well, proved_once;
	int64_t again;			/* when its timer is due; 0: it does not run */
};
void seat_revive(struct generation *g, const struct seat_memory *m);
/* A worker that an earlier manager started; after its seat. */
void generation_adopt(struct generation *g, const struct member_memory *m);
/* All of that was said: open seats that nobody has are filled. */
void generation_resume(struct generation *g);

void generation_open(struct generation *g, size_t index);
void generation_close(struct generation *g, size_t index);
/* Another worker for one that serves: beside it until it is proved, or, where old and
 * new must not be beside each other, after it. */
void generation_renew(struct generation *g, size_t index);
void generation_on(struct generation *g, enum generation_event event);

/* Not current yet, and no good: the change has failed.  Takes why. */
void generation_doubted(struct generation *g, char *why);

enum seat_sight generation_sight(const struct generation *g, size_t index);
bool generation_seat_open(const struct generation *g, size_t index);
/* The settings that it lives by from now on; they differ in live keys only. */
void generation_change_means(struct generation *g, struct means *means);

/* From a member: its worker moved on. */
void generation_told(struct generation *g, struct member *m, enum worker_news news);

#endif
