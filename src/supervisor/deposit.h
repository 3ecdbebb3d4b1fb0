/* Held sockets, stored with a service manager above us (FDSTORE=1,
 * sd_pid_notify_with_fds(3)): it has a copy of each when all our processes and all
 * workers are gone, and leaves them to the next `run` as LISTEN_FDS.
 *
 * Each is stored under a name of its own, which is made of its inode and so tells the
 * same socket in every life of ours.  A store that has one already passes it over; so a
 * successor stores everything again and need not know what was stored.  What was left to
 * us and is not held when we run is taken back, and so is what is closed later. */
#ifndef HOLDPORT_SUPERVISOR_DEPOSIT_H
#define HOLDPORT_SUPERVISOR_DEPOSIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text_list.h"
#include "keeper/custody.h"
#include "loop/loop.h"

struct deposit {
	bool there;			/* somebody may store something */
	size_t most, stored;		/* how many; 0: it did not say */
	struct custody *custody;	/* what is behind a number */
	struct loop *loop;		/* NULL: not started, and nothing is said yet */
	struct deposit_word {
		unsigned number;	/* in custody; 0: to be taken back */
		uint64_t inode;
	} *words;			/* not said, or not answered yet; oldest first */
	size_t count;
	bool asked;			/* the first was said */
	bool told;			/* that not all of them are stored */
	struct loop_timer again;
};

/* most: the value of FDSTORE, or NULL. */
void deposit_init(struct deposit *d, const char *most);
/* LISTEN_FDNAMES: those that were stored by us. */
void deposit_left(struct deposit *d, const struct text_list *names);
void deposit_start(struct deposit *d, struct loop *loop, struct custody *custody);
void deposit_stop(struct deposit *d);
/* What is under this number in custody, a socket with this inode. */
void deposit_put(struct deposit *d, unsigned number, uint64_t inode);
/* It is about to be closed. */
void deposit_take_back(struct deposit *d, uint64_t inode);
/* An answer of the keeper: 0 or an errno.  False: it is not for us. */
bool deposit_answered(struct deposit *d, int64_t number, int why);

#endif
