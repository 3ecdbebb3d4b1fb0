/* Which executable managers are started from: the one that runs, held open, so that a
 * crash does not install another version; and the one that an upgrade tries, which
 * takes its place only when a manager has settled from it. */
#ifndef HOLDPORT_KEEPER_IMAGES_H
#define HOLDPORT_KEEPER_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/process.h"

enum { IMAGES_WHY = 160 };

struct images {
	int runs;
	int tried;		/* -1: no upgrade is under way */
	int64_t until;		/* the moment by which it must have settled */
	char why[IMAGES_WHY];	/* the last one was rolled back; "": no */
};

/* Takes *fd.  Nothing where one is under way. */
void images_try(struct images *i, int *fd, int64_t until);
static inline bool images_tries(const struct images *i)
{
	return i->tried >= 0;
}
/* It is not tried any more, and nothing was lost by it. */
void images_stay(struct images *i);
/* It runs; true: since now. */
bool images_settle(struct images *i);
/* The manager from it ended; how, or why we ended it (NULL: by itself). */
void images_roll_back(struct images *i, const struct process_end *end, const char *ended_for);

#endif
