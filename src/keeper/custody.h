/* What the keeper holds a copy of, by number and by what it is for.
 *
 * The manager gives the numbers (small ones, used again) and writes them into its
 * journal beside what they belong to.  A successor is given all of them before it
 * begins, claims what it finds in the journal, and lets go of the rest. */
#ifndef HOLDPORT_KEEPER_CUSTODY_H
#define HOLDPORT_KEEPER_CUSTODY_H

#include <stdbool.h>
#include <stddef.h>

#include "keeper/link.h"

struct custody_item {
	char what[16];			/* "": the number is free */
	int fd;				/* given to us and not claimed yet; -1 */
};

struct custody {
	struct keeper_link *link;
	struct custody_item *items;	/* by number; 0 is never used */
	size_t count;
	size_t free_from;		/* no number below it is free */
	bool slow;			/* the keeper was waited for in vain */
	bool settled;			/* an earlier manager has been at work */
};

/* Waits for what the keeper has to give. */
int custody_open(struct custody *c, struct keeper_link *link, struct err *err);
void custody_close(struct custody *c);
/* The keeper has a copy of fd from now on; its number.  0: there is no keeper. */
unsigned custody_hold(struct custody *c, int fd, const char *what);
/* Another descriptor under the same number. */
void custody_replace(struct custody *c, unsigned number, int fd);
void custody_drop(struct custody *c, unsigned *number);	/* accepts 0; makes it 0 */
/* Returns when the keeper has closed it, or after a second; a keeper that was waited for
 * in vain is not waited for again. */
void custody_drop_now(struct custody *c, unsigned *number);
/* The caller owns it; -1: there is no such thing.  The keeper's copy stays. */
int custody_claim(struct custody *c, unsigned number, const char *what);
/* The first that is for this and was not claimed; 0: none. */
unsigned custody_find(const struct custody *c, const char *what);
/* What nobody claimed is let go. */
void custody_sweep(struct custody *c);

#endif
