/* Before an address that is taken: what is in the way, and when to try again.
 *
 * The owner binds.  Each time that this fails it tells the gate, which looks at what
 * is in the way and calls `go` when another try is worth while: at once when the
 * kernel tells that a socket at the port has gone or that an address has come; at the
 * moment that the kernel's own timers name; and now and then, for what nobody tells.
 * It asks for news only while it is shut, and never polls: a minute before a taken
 * address costs less than 10 ms of processor time.
 *
 * Used by the store, and by the drain command; knows neither. */
#ifndef HOLDPORT_SOCKET_GATE_H
#define HOLDPORT_SOCKET_GATE_H

#include <time.h>

#include "base/str.h"
#include "loop/loop.h"
#include "socket/blocker.h"

struct gate {
	struct loop *loop;
	void (*go)(struct gate *g);	/* try to bind */
	void (*late)(struct gate *g);	/* the patience is over; once */
	const struct key *key;
	int64_t since;			/* when it was shut; 0: it is open */
	time_t began;			/* the same, for people */
	bool over;			/* the patience is */
	unsigned tries;			/* that failed in a row */
	struct gate_view {			/* by the last look; NULL: there was none */
		struct facts facts;
		struct judgement judgement;
	} *view;
	/* Its own: */
	int64_t looked, tried;
	unsigned looks;
	bool unseen;			/* there was news since the last look */
	unsigned echoes;		/* tries that the last news are still good for */
	unsigned blind;			/* looks in a row that found nothing */
	struct loop_timer again, patience;
	struct loop_io news;
	int hears;			/* -1: nothing */
	enum { HEARS_NOTHING, HEARS_LISTENERS, HEARS_SOCKETS, HEARS_ADDRESSES } what;
};

/* key: borrowed, as long as the gate is. */
void gate_init(struct gate *g, struct loop *loop, const struct key *key,
	       void (*go)(struct gate *g), void (*late)(struct gate *g));
/* Calls `go` in the next turn of the loop. */
void gate_try(struct gate *g);
/* A bind has failed.  True: for another reason than the one before.  The patience
 * counts from the first one that did. */
bool gate_shut(struct gate *g, const struct attempt *a, int64_t patience_ms);
/* It is another one from now on. */
void gate_patience(struct gate *g, int64_t patience_ms);
/* Nothing is waited for any more; also where nothing was. */
void gate_open(struct gate *g);

/* Whether ending what nobody serves would free it, and this system lets us. */
bool gate_can_reset(const struct gate *g);
/* Ends the connections in the way that no process has open, if nothing else is;
 * `served`: also those that one has.  How many that were; -1 and why that is not
 * possible, or of no help. */
int gate_reset(struct gate *g, bool served, struct err *err);

/* When it will be free, from now: ms, -1 where nobody knows. */
int64_t gate_after(const struct gate *g);
int64_t gate_before(const struct gate *g);
void gate_when(const struct gate *g, struct str *ret);	/* blocker_when() */

/* How long to wait for the next try.  Pure; for gate.c and its test.  age_ms: of the
 * look that j is; heard: news of what is in the way would come. */
int64_t gate_pause(const struct judgement *j, int64_t age_ms, unsigned tries, bool heard);

#endif
