/* Workers that serve and shall be replaced all the same: who is next, and when.
 * Pure.
 *
 * One at a time.  The new one is proved before the old one is told to stop, unless
 * old and new must not be beside each other; then the last one that is well stays, for
 * as long as it is not the only one. */
#ifndef HOLDPORT_ROLLOUT_RENEW_H
#define HOLDPORT_ROLLOUT_RENEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why, the more urgent the greater. */
#define RENEW_WHYS(X)                                                      \
	X(NOT, "")                                                         \
	X(AGE, "it is older than max_age")                                 \
	X(MEMORY, "it has more than max_memory")                            \
	X(HEALTH, "it is not well (health)")
enum renew_why {
#define X(name, text) RENEW_##name,
	RENEW_WHYS(X)
#undef X
	RENEW_WHY_COUNT
};
const char *renew_text(enum renew_why why);
/* Of a set, a bit each. */
enum renew_why renew_most(unsigned whys);

/* A place for a worker. */
struct renew_seat {
	bool serves;			/* somebody does, in it */
	bool busy;			/* whoever will be there next is on his way */
	enum renew_why why;		/* its worker shall be replaced */
	int64_t since;			/* when that was found, ms */
};

struct renew_view {
	const struct renew_seat *seats;
	size_t count;
	bool alone;			/* first the old one goes: strategy = replace */
};

/* Whose worker is replaced now; -1: nobody's. */
int renew_next(const struct renew_view *v);

/* Replacements that did not help, in a row. */
struct renewals {
	unsigned count;
	int64_t last;			/* ms */
};
/* One more; those before do not count if the last one was long ago. */
void renewals_note(struct renewals *r, int64_t interval, int64_t now);
/* When the next one may begin: an interval after the first, and twice as long after
 * each further one, up to 64 of them. */
int64_t renewals_not_before(const struct renewals *r, int64_t interval);

#endif
