/* Where the preload library of a worker tells of its calls (wire.h).
 *
 * A socket in the file system that belongs to the worker's user.  Who comes is not
 * trusted: he may say nothing, or anything, and is given no more than a worker of
 * the program would be.  Of more than a few who say nothing, the first goes; who is
 * being heard keeps his place, and while all are such ones nobody else comes in. */
#ifndef HOLDPORT_INTERCEPT_DOOR_H
#define HOLDPORT_INTERCEPT_DOOR_H

#include "intercept/report.h"
#include "loop/loop.h"

struct door {
	int fd;			/* the owner's */
	struct loop *loop;
	struct loop_io io;
	struct list visitors;
	unsigned count;
	/* own: the worker's socket, a copy; NULL taken: it stays the door's. */
	void (*told)(struct door *d, const struct report *r, int *own);
};

/* A listening socket at the path, for this user ((uid_t)-1: ours); -1 and why. */
int door_make(const char *path, uid_t user, struct err *err);
/* Whether a listener that was kept is a door's. */
bool door_is(int fd);
void door_open(struct door *d, struct loop *loop, int fd,
	       void (*told)(struct door *d, const struct report *r, int *own));
void door_close(struct door *d);
/* False: no call could be meant by that.  What comes over the wire is any bytes. */
struct wire_call;
bool door_understand(const struct wire_call *call, struct trap *ret);

#endif
