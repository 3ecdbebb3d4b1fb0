/* What a manager knew, as its successor reads it.
 *
 * The text is a checkpoint and what was appended since.  The last word on
 * something counts: a `settings` or `program` block replaces the one before it of
 * the same number or name when it is complete, that is with its `end`; one that is
 * torn (its writer was killed) is passed over, and so is every word that is not
 * known.  The first line names the format; it changes only for what older readers
 * must not pass over. */
#ifndef HOLDPORT_KEEPER_SNAPSHOT_H
#define HOLDPORT_KEEPER_SNAPSHOT_H

#include "base/err.h"
#include "base/list.h"
#include "keeper/facts.h"

enum { SNAPSHOT_FORMAT = 1 };

/* From `head` to `end`; for a block of one line, head alone. */
struct snapshot_block {
	struct list node;
	const char *text;		/* as it was written; borrowed from what was read */
	size_t length;
	struct fact head;		/* program name=… , settings id=… , socket fd=… */
	struct fact *facts;		/* what follows */
	size_t count;
	struct snapshot_block *chain;	/* while it is read: of one bucket */
};

struct snapshot {
	char *owned;			/* what was read, if it goes with this */
	size_t length;			/* of that … */
	size_t checkpoint;		/* … and of the checkpoint that it begins with; 0: not said */
	bool torn;			/* its last line has no end */
	struct fact supervisor;		/* its last word; word NULL: none */
	struct list settings, sockets, programs;	/* blocks, in the order they first came */
	struct list events;		/* blocks of one line, oldest first */
	struct list moments;		/* of workers; of one line */
	struct list requests, asked;	/* of one line */
};

/* The words that may begin a text: the format's line; those that end a checkpoint. */
void snapshot_begin(struct str *out);
void snapshot_end(struct str *out);
/* Borrows text until snapshot_fini(). */
int snapshot_read(const char *text, size_t length, struct snapshot *ret, struct err *err);
void snapshot_fini(struct snapshot *s);
/* The settings block with this number, or NULL. */
const struct snapshot_block *snapshot_settings(const struct snapshot *s, int64_t id);

#endif
