/* A program: what is wanted of it, its generations, who waits for an outcome.
 *
 * Requests only note what is wanted and wake program_step(), which runs at the
 * end of the loop's turn and moves towards it.  So any number of requests, in
 * any order, at any moment, converge on the last one.
 *
 * A wish is a number that grows with every request for a new generation.  A
 * generation carries the wish it was begun for, and answers all up to it. */
#ifndef HOLDPORT_ROLLOUT_PROGRAM_H
#define HOLDPORT_ROLLOUT_PROGRAM_H

#include "rollout/backoff.h"
#include "rollout/generation.h"
#include "rollout/program_state.h"
#include "rollout/renew.h"
#include "rollout/rollout.h"

enum ask_kind { ASK_UP, ASK_DOWN, ASK_SCALE };

/* Somebody who wants to know how it ended.  The asker owns it; it is in the
 * program's list until done() was called, once, or ask_forget(). */
struct ask {
	struct list node;
	struct program *program;
	enum ask_kind kind;
	unsigned ticket;
	/* text: one sentence; lines: the last output of what failed, or NULL.
	 * Both are borrowed. */
	void (*done)(struct ask *a, bool ok, const char *text, const struct text_list *lines);
};

void ask_forget(struct ask *a);		/* harmless when it is in no list */
/* What was asked of a manager before this one, and has no outcome yet; p was revived.
 * False: that one did not come to do it. */
bool ask_again(struct program *p, struct ask *a, enum ask_kind kind, unsigned ticket);

struct program {
	struct list node;		/* in the rollout */
	struct rollout *rollout;
	char *name;
	enum program_state state;
	bool up;			/* shall run */
	bool removed;			/* by a reload: freed when it is empty */
	struct means *wanted;		/* of the next generation; holds an executable only
					 * for one that goes back to it */
	/* Memories: of the generation that is or was current last, of the one before. */
	struct means *present, *before;
	int64_t scale;			/* workers by `scale`; -1: as configured */
	int64_t scale_before;		/* goes back to it if scaling up fails */
	bool goes_back;			/* the next generation is one that is gone back to */
	bool scaling;			/* `scale` has no outcome yet */
	struct list generations;
	struct generation *current, *next;	/* in the list, or NULL */
	enum strategy strategy;		/* of the change under way, or of the last one */
	unsigned last_number;
	unsigned wish, done_wish;
	unsigned failures;		/* first starts in a row that failed */
	struct storm storm;
	struct ration ration;		/* of lines that are forwarded */
	struct renewals renewals;
	struct loop_timer memory_look;	/* memory_look.h */
	int64_t memory_pause;
	struct checkup checkup;		/* health, where nobody knows which worker answers … */
	struct vitals vitals;		/* … and what came of it */
	struct loop_timer renew_again;
	struct loop_timer retry;
	int64_t retry_at;		/* loop_now(), while it runs */
	struct loop_timer look;		/* takeover.h: at the queues of the old sockets */
	int64_t took_over;		/* when it began */
	bool given_up;			/* they were not empty in time */
	/* Who sits beyond what is wanted is about to go (slots.h): */
	struct loop_timer quiet;
	int64_t quiet_since;		/* 0: nobody */
	size_t quiet_wanted;
	struct loop_later later;
	struct loop_later recording;
	uint64_t recorded;		/* digest of what was written down of it last; 0: nothing */
	bool asleep;			/* until somebody comes (asleep.h) */
	struct list ears;		/* of one that sleeps, at its sockets */
	struct list asks;
	bool speaks_notify;		/* said READY=1 (or acknowledged) once; must from then on */
	bool hinted;			/* at a wrapper (hint.h); once is enough */
	unsigned restarts;		/* workers that ended unasked */
	struct process_end last_end;	/* of the worker that ended last, unasked first */
	bool ended;			/* last_end is newer than the last failure to make one */
	unsigned bindings_tried;	/* means_bindings() that a new generation was begun for */
	struct fd_store kept;		/* left by its workers, for those after them */
	char *waits_for;		/* sockets that are not bound, its turn, as a sentence; or NULL */
	struct program *behind;		/* whose coming or going it waits for (order.h), or NULL */
	bool hasty;			/* its end waits for nobody's */
	char *last_error;		/* a sentence, or NULL */
	struct text_list last_lines;
};

struct program *program_new(struct rollout *r, struct means *wanted);
/* Only when nothing of it runs. */
void program_free(struct program *p);
struct program *program_find(const struct rollout *r, const char *name);

/* Each takes an ask that may be NULL.  It may be answered before they return. */
void program_start(struct program *p, struct ask *a);
/* start = on-demand: from now on the first who comes to its sockets starts it. */
void program_sleep(struct program *p);
void program_restart(struct program *p, struct ask *a);
/* To the means of the generation before; while a change is under way, to those of
 * the current one. */
void program_rollback(struct program *p, struct ask *a);
/* From now on the means of this memory are wanted; what runs was remembered before
 * (program_remember()).  -1: they are not to be had. */
int program_go_back(struct program *p, const struct means *to, struct err *err);
void program_stop(struct program *p, struct ask *a);
void program_scale(struct program *p, int64_t workers, struct ask *a);
/* A reload: from now on these means.  effect says what the difference costs; with
 * EFFECT_RESTART a new generation is begun, also in place of one under way. */
void program_change(struct program *p, struct means *means, enum effect effect, struct ask *a);
void program_remove(struct program *p, struct ask *a);
/* Every draining or stopping worker goes to its next rung, or to its last. */
void program_hurry(struct program *p, enum worker_event event);
/* To each worker of one generation, 0: of all.  How many were reached. */
unsigned program_signal(struct program *p, int number, unsigned generation);

size_t program_wanted_workers(const struct program *p);
size_t program_ready_workers(const struct program *p);
/* Workers of generations up to this one that are on their way out; ret_ms: how long the
 * last of them may take, -1: nobody gave them a time. */
size_t program_leaving(const struct program *p, unsigned most, int64_t *ret_ms);

/* One that was revived goes on; retry: when it is tried again, 0: not. */
void program_resume(struct program *p, int64_t retry);
void program_retry_at(struct program *p, int64_t when);	/* loop_now() */

/* From below. */
void program_kick(struct program *p);
/* Something that a successor has to know has changed. */
void program_touch(struct program *p);
void program_write_down(struct program *p);	/* the same, now */
void program_step(struct program *p);
/* Its current generation is another one, or none, or has other settings. */
void program_watch(struct program *p);
void program_remember(struct program *p);	/* what is current, as it is now */
void program_let_go(struct program *p);	/* nothing of it is wanted any more */
unsigned program_free_slot(const struct program *p);
void program_proved_by(struct program *p, const char *by);
void program_note_failure(struct program *p, const struct generation *g);
void program_forget_failure(struct program *p);
void program_news(struct program *p, const struct news *n);
void program_tell(struct program *p, const char *text);	/* news of itself; NULL: its state */
void program_news_worker(struct program *p, const struct member *m, const char *text);
void program_news_drain(struct program *p, const struct member *m);
void program_on(struct program *p, enum program_event event, const char *text);

#endif
