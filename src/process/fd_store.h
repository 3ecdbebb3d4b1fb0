/* Descriptors that a program's workers left with us (FDSTORE=1, sd_notify(3)), for
 * the workers that come after them.
 *
 * Owns them.  One that hangs up is dropped, unless it shall not be watched; what
 * is there already is not kept twice. */
#ifndef HOLDPORT_PROCESS_FD_STORE_H
#define HOLDPORT_PROCESS_FD_STORE_H

#include "loop/loop.h"

enum { FD_STORE_MOST = 64 };

struct kept_fd {
	int fd;
	char *name;
	bool watched;
	unsigned kept;			/* its number in custody; 0: none */
};

struct fd_store {
	struct loop *loop;
	struct kept_fd *items;		/* in the order they came; NULL: never any */
	size_t count;
	int hangups;			/* platform_hangups_open(); -1: none yet */
	struct loop_io io;
	/* One that has a number is dropped; may be NULL. */
	void (*dropped)(struct fd_store *s, unsigned number);
};

void fd_store_init(struct fd_store *s, struct loop *loop);
/* Takes *fd.  False: there is no room. */
bool fd_store_put(struct fd_store *s, const char *name, int *fd, bool watched);
void fd_store_remove(struct fd_store *s, const char *name);	/* all of that name */
void fd_store_clear(struct fd_store *s);

#endif
