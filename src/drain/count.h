/* How many connections workers have with the clients of their held sockets.
 *
 * One question to the system for any number of workers; it is asked only when
 * somebody wants to know.  Connections that wait to be accepted are nobody's. */
#ifndef HOLDPORT_DRAIN_COUNT_H
#define HOLDPORT_DRAIN_COUNT_H

#include "process/worker.h"
#include "socket/store.h"

struct count {
	int64_t at;		/* loop_now() when it was looked at; 0: never */
	int connections;	/* -1: it takes none, or it cannot be seen */
	bool listens;		/* more clients may come by what it holds */
};

/* A worker that is counted. */
struct counted {
	const struct worker *worker;
	struct held *const *held;	/* what it was given */
	size_t held_count;
	struct count *ret;
	int *by_held;		/* its connections of each; NULL: of no interest */
};

/* Fills in each ret, which says "cannot be seen" after a failure. */
int count_workers(struct store *store, const struct counted *list, size_t count,
		  struct err *err);

/* What was counted is the answer still: one that took long keeps for longer, so
 * that asking often does not cost much. */
bool count_is_fresh(const struct count *c, int64_t now, int64_t cost_ms);

#endif
