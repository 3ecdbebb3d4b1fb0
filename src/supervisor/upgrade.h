/* From the executable that runs to the one that is installed, with everything kept.
 *
 * The installed one is looked at and asked (preflight.h).  Then the manager goes on as
 * it, in the same process: children, their ends, signals on their way stay where they
 * are; the rest is what any successor is given.  The keeper waits for its word, and
 * starts the old image again where that does not come.  How it ended is kept, by
 * number, for whoever asked. */
#ifndef HOLDPORT_SUPERVISOR_UPGRADE_H
#define HOLDPORT_SUPERVISOR_UPGRADE_H

#include "base/str.h"
#include "supervisor/preflight.h"

#define UPGRADE_STATES(X)                                                         \
	X(NONE, "none")		/* nobody ever asked */                           \
	X(ASKING, "asking")	/* the new image, whether it understands */       \
	X(WAITING, "waiting")	/* until nothing is half done */                  \
	X(GOING, "going")	/* from one image to the other */                 \
	X(DONE, "done")                                                           \
	X(FAILED, "failed")

enum upgrade_state {
#define X(name, word) UPGRADE_##name,
	UPGRADE_STATES(X)
#undef X
	UPGRADE_STATE_COUNT
};

struct supervisor;
struct fact;

struct upgrade {
	enum upgrade_state state;
	unsigned number;		/* of the last one; 0: none */
	char *text;			/* how it ended, a sentence; NULL: not yet */
	char *from;			/* the version before it */
	char *request;			/* by which it was asked for; NULL: without a name */
	int image;			/* held open while one is under way; else -1 */
	struct preflight preflight;
	struct loop_timer look;		/* is anything half done? */
	struct loop_timer patience;
};

/* A number, by which its outcome can be asked for; -1: it is not begun. */
int upgrade_begin(struct supervisor *s, const char *request, struct err *err);
static inline bool upgrade_under_way(const struct upgrade *u)
{
	return u->state >= UPGRADE_ASKING && u->state <= UPGRADE_GOING;
}
void upgrade_stop(struct supervisor *s);	/* with the manager */
/* As a successor reads it; before it has settled, and when it is about to. */
void upgrade_record(const struct upgrade *u, struct str *out);
void upgrade_recall(struct supervisor *s, const struct fact *f);
void upgrade_settle(struct supervisor *s);

#endif
