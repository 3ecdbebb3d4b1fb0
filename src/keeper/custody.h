/* What the keeper holds a copy of, by number and by what it is for.
 *
 * The manager gives the numbers (small ones, used again) and writes them into its
 * journal beside what they belong to.  A successor is given all of them before it
 * begins, claims what it finds in the journal, and lets go of the rest. */
#ifndef HOLDPORT_KEEPER_CUSTODY_H
#define HOLDPORT_KEEPER_CUSTODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/link.h"

struct custody_item {
	char what[16];			/* "": the number is free */
	int fd;				/* given to us and not claimed yet; -1 */
	int open;			/* borrowed: the owner's; -1 */
	uint64_t inode;			/* of that */
};

struct custody {
	struct keeper_link *link;
	struct custody_item *items;	/* by number; 0 is never used */
	size_t count;
	size_t free_from;		/* no number below it is free */
	bool slow;			/* the keeper was waited for in vain */
	bool settled;			/* an earlier manager has been at work */
	bool orphaned;			/* the keeper is not the one that was started */
	char *rolled_back;		/* why an upgrade was; "": none was */
};

void custody_init(struct custody *c, struct keeper_link *link);
/* What an image before ours in this process left open, by its file (bequest.h), which is
 * closed; -1: there was none.  How many they are. */
size_t custody_inherit(struct custody *c, int *file);
/* Waits for what the keeper has to give.  What it says besides is put off.  -1 with
 * err->code EPIPE: it has ended. */
int custody_open(struct custody *c, struct err *err);
void custody_close(struct custody *c);
/* The keeper has a copy of fd from now on; its number.  The owner tells by
 * custody_drop() that it closes fd, or by custody_moved() that it has another number.
 * 0: nobody keeps anything. */
unsigned custody_hold(struct custody *c, int fd, const char *what);
void custody_moved(struct custody *c, unsigned number, int fd);
/* Another descriptor under the same number. */
void custody_replace(struct custody *c, unsigned number, int fd);
void custody_drop(struct custody *c, unsigned *number);	/* accepts 0; makes it 0 */
/* Returns when the keeper has closed it, or after a second; a keeper that was waited for
 * in vain is not waited for again. */
void custody_drop_now(struct custody *c, unsigned *number);
/* The caller owns it; -1: there is no such thing.  The keeper's copy stays. */
int custody_claim(struct custody *c, unsigned number, const char *what);
/* As if the keeper had given it; it has it from now on.  fd -1: the number is in use,
 * and nothing is behind it. */
void custody_put(struct custody *c, unsigned number, const char *what, int *fd);
/* The same, but that the keeper has it after custody_tell(): the journal after all that it
 * speaks of, and the lock after that.  If we are killed before, a keeper that has a part of
 * it does not take that for the whole, and the state file is read. */
void custody_take(struct custody *c, unsigned number, const char *what, int *fd);
void custody_tell(struct custody *c);
uint64_t custody_inode_of(const struct custody *c, unsigned number);	/* 0: nothing */
/* The first that is for this and was not claimed; 0: none. */
unsigned custody_find(const struct custody *c, const char *what);
/* What nobody claimed is let go. */
void custody_sweep(struct custody *c);
/* What tells the file behind a descriptor from others of its kind. */
uint64_t custody_inode(int fd);

#endif
