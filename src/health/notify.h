/* sd_notify(3), the receiving side: one datagram socket a worker, so that the
 * sender is known by where it speaks, however it forked.
 *
 * Reads and understands; what a message means is the owner's business.
 * Descriptors that come along are the owner's if it takes them, and closed
 * otherwise once the message was dealt with: that also answers BARRIER=1.  Keys
 * that are not known are passed over, as the protocol demands; a number that is
 * none counts as not said. */
#ifndef HOLDPORT_HEALTH_NOTIFY_H
#define HOLDPORT_HEALTH_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "loop/loop.h"

#define NOTIFY_STATUS_SIZE 256
#define NOTIFY_NAME_SIZE 256	/* FDNAME: 255 characters, sd_pid_notify_with_fds(3) */

struct notify_message {
	bool ready, reloading, stopping, barrier, restart_reset;
	bool ping, trigger;			/* WATCHDOG=1, WATCHDOG=trigger */
	bool has_status, has_error, has_monotonic, has_watchdog;
	char status[NOTIFY_STATUS_SIZE];	/* as sent, cut; not escaped */
	int error;				/* ERRNO */
	uint64_t monotonic_usec, watchdog_usec, extend_usec;	/* extend_usec 0: not said */
	pid_t main_pid;				/* 0: not said */
	uint64_t main_pidfd_id;			/* 0: not said */
	bool main_pidfd;			/* it is the first descriptor */
	bool store, store_remove, store_unwatched;	/* FDSTORE, FDSTOREREMOVE, FDPOLL=0 */
	char fd_name[NOTIFY_NAME_SIZE];		/* "": not said, or not a name */
	int *fds;				/* take with fd_take(); [fd_count] */
	size_t fd_count;
};

/* Pure; any bytes will do. */
void notify_parse(const char *bytes, size_t length, struct notify_message *ret);

struct notify {
	int fd;
	char *path;
	struct loop_io io;
	void (*on)(struct notify *n, struct notify_message *m);
};

/* Makes path, for this user alone ((uid_t)-1: for us). */
int notify_open(struct notify *n, struct loop *loop, const char *path, uid_t user,
		void (*on)(struct notify *n, struct notify_message *m), struct err *err);
/* One that an earlier manager made; takes fd. */
void notify_go_on(struct notify *n, struct loop *loop, int fd, const char *path,
		  void (*on)(struct notify *n, struct notify_message *m));
/* Hears what is still in the queue: a worker may say READY=1 and end.  A message is taken
 * out of the queue when it was dealt with: one of us who is killed meanwhile has not lost
 * it.  True: there may be more. */
bool notify_drain(struct notify *n);
void notify_close(struct notify *n);	/* accepts one that was never opened */

#endif
