/* Is a worker that was told to stop empty?
 *
 * While workers drain their connections are counted, all of them by one look, at
 * pauses that grow; while none does, nothing runs.  The owner is told of numbers
 * that changed, not often, and once when its worker is empty: it has no listener
 * any more and no connection, at every look for EMPTY_MS, for a server that is
 * just ending must not be taken for one that does not end.
 *
 * One that leaves unasked, or asked for more time, is not called empty. */
#ifndef HOLDPORT_DRAIN_DRAIN_H
#define HOLDPORT_DRAIN_DRAIN_H

#include "drain/count.h"

enum { DRAIN_EMPTY_MS = 1000 };

enum drain_news { DRAIN_COUNTED, DRAIN_EMPTY };

struct drains {
	struct store *store;
	struct list all;		/* struct drain */
	struct loop_timer tick;
	int64_t pause;
	bool cannot;			/* this system does not tell; said so */
};

void drains_init(struct drains *s, struct store *store);

/* A worker's; a member of its owner, begins as all zeroes. */
struct drain {
	struct list node;
	struct drains *drains;		/* NULL: it does not drain */
	const struct worker *worker;
	struct held *const *held;
	size_t held_count;
	struct count count;		/* also of one that does not drain, when asked for */
	int told;			/* the last number that the owner was told */
	int64_t told_at, empty_since;	/* loop_now(); 0: never, not */
	bool empty;			/* said so */
	void (*on)(struct drain *d, enum drain_news news);
};

/* The held sockets are its owner's, and stay as long as it runs.  Again: harmless. */
void drain_start(struct drain *d, struct drains *all, const struct worker *worker,
		 struct held *const *held, size_t held_count,
		 void (*on)(struct drain *d, enum drain_news news));
void drain_stop(struct drain *d);

/* "12 connections left, 24s at most" into buf. */
#define DRAIN_TEXT_SIZE 80
const char *drain_text(const struct drain *d, char buf[DRAIN_TEXT_SIZE]);

#endif
