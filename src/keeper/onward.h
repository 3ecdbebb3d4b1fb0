/* What a keeper tells the image that it goes on as: its descriptors stay open over
 * exec(2), and the file that lists them (struct hold_left) says the rest in lines of its
 * own.  A reader passes over what it does not know. */
#ifndef HOLDPORT_KEEPER_ONWARD_H
#define HOLDPORT_KEEPER_ONWARD_H

#include <signal.h>
#include <sys/resource.h>

#include "base/err.h"
#include "keeper/hold.h"

struct onward {
	pid_t manager;
	int channel;			/* to it */
	rlim_t files;			/* that it may open: as we were started */
	bool orphaned;			/* we were not started as the keeper */
	sigset_t untaken;		/* passed down to it */
};

/* The file, which stays open too.  -1: nothing has changed. */
int onward_write(const struct hold *h, const struct onward *o, struct err *err);
/* It did not become one.  Closes *file. */
void onward_undo(const struct hold *h, const struct onward *o, int *file);
/* Closes *file.  False: no manager is spoken of. */
bool onward_read(int *file, struct hold *h, struct onward *ret);

#endif
