/* What a successor of this manager has to know, written down as it happens.
 *
 * A program is written when something of it changed, at the end of the turn; sockets,
 * events and what concerns the whole when they change.  Settings are written when
 * something that is written refers to them, once; so a text never speaks of what
 * it has not told. */
#ifndef HOLDPORT_SUPERVISOR_MEMORY_H
#define HOLDPORT_SUPERVISOR_MEMORY_H

#include "base/str.h"
#include "keeper/custody.h"
#include "keeper/journal.h"
#include "keeper/snapshot.h"

struct faults;
struct settings;
struct supervisor;
struct held;
struct program;

struct memory {
	struct custody custody;
	struct journal journal;
	unsigned journal_kept;		/* its number in custody */
	unsigned lock_kept, control_kept;
	unsigned last_settings;		/* the last number that was given to some */
	unsigned checkpoint;		/* how many there were */
	struct str *into;		/* a checkpoint under way; NULL: the journal */
	uint64_t said;			/* digest of what was written of the whole last */
	bool there;			/* an earlier manager left something */
	struct snapshot before;		/* what it knew; until everything is revived */
	int left;			/* what it wrote that to, until we do; else -1 */
	bool anew;			/* not all of that is so any more: begun anew */
};

/* memory.c: writing */
void memory_start(struct supervisor *s);
void memory_stop(struct supervisor *s);
void memory_of_whole(struct supervisor *s);
void memory_of_program(struct program *p, void *ctx);	/* rollout.record */
void memory_of_program_gone(struct supervisor *s, const char *name);
void memory_of_socket(struct supervisor *s, struct held *h);
/* It is about to be closed; the keeper has no copy any more when this returns. */
void memory_of_closing(struct supervisor *s, struct held *h);
void memory_of_event(struct supervisor *s);		/* the last one */
/* What was asked by name, and with it the programs of which something has changed in this
 * turn. */
void memory_of_request(struct supervisor *s, const struct str *text, bool and_programs);
/* A reload: what is in force, and what that made of the programs, in one. */
void memory_of_reload(struct supervisor *s);
/* Everything was taken up. */
void memory_of_revival(struct supervisor *s);
void memory_checkpoint(struct supervisor *s);
/* Nothing else is unwritten (rollout_is_still): what only a manager in the same process can
 * know, which is what is half read of workers' lines. */
void memory_of_upgrade(struct supervisor *s);
/* recall.c: reading.  True: there was a manager before us, and its state was read;
 * then s->settings and the counters are its. */
bool memory_recall(struct supervisor *s);
/* The same of another supervisor, whose descriptors are in custody by now; s->file stays
 * as it is. */
bool memory_take_over(struct supervisor *s);
/* The parts of it: the text, what was in force; -1: of no use, and why.  Refused, only
 * the sockets are taken over. */
int memory_read(struct supervisor *s, int fd, struct err *err);
int memory_accept(struct supervisor *s, struct err *err);
void memory_refuse(struct supervisor *s, const struct err *err);
/* Its events, and its sockets to the store; before anything happens here. */
void memory_give_sockets(struct supervisor *s);
void memory_revive(struct supervisor *s);
/* A worker that an earlier manager started has ended, says the keeper. */
void memory_ended(struct supervisor *s, pid_t pid, int64_t how);

/* The settings of a block; NULL: faults says why. */
struct settings *recall_settings(const struct snapshot_block *b, struct faults *faults);

#endif
