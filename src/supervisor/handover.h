/* The keeper that somebody started was killed, and its manager took its place: whoever
 * started it saw its child end, and starts another one.  That one asks here, and is given
 * everything; then keeper and manager of before end, and it goes on by ordinary recovery.
 *
 * Messages as between keeper and manager (keeper/channel.h) over RUNTIME_DIR/handover,
 * which is there only while the supervisor is an orphan, for its own user and root. */
#ifndef HOLDPORT_SUPERVISOR_HANDOVER_H
#define HOLDPORT_SUPERVISOR_HANDOVER_H

#include "base/err.h"
#include "loop/loop.h"

struct supervisor;

/* Somebody who has come and said nothing yet. */
struct asker {
	struct list node;
	struct supervisor *supervisor;
	int fd;
	struct loop_io io;
	struct loop_timer patience;
};

struct handover {
	int fd;			/* -1: nobody may ask */
	struct list askers;
	unsigned asker_count;
	char *path;
	struct loop_io io;
};

/* Where the keeper above us is not the one that was started. */
int handover_start(struct supervisor *s, struct err *err);
void handover_stop(struct supervisor *s);
/* Another supervisor has the directory.  0: it was an orphan of the same file, and has
 * ended; what it held is in custody.  -1: it is none, or does not hand over; err is left
 * alone. */
int handover_ask(struct supervisor *s, const char *dir);

#endif
