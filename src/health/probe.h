/* Readiness over TCP behind a listener that old and new workers share.
 *
 * connect(2) succeeds with nobody accepting, and nobody chooses who accepts.  So
 * a probe connects, sends nothing, finds the inode of the server's end and looks
 * for it among the worker's descriptors; somebody else's is closed and tried
 * again.  The server sees a connection that ends without a request. */
#ifndef HOLDPORT_HEALTH_PROBE_H
#define HOLDPORT_HEALTH_PROBE_H

#include "loop/loop.h"
#include "socket/store.h"

#define PROBE_ANYBODY 0		/* in place of a pid: whoever accepts will do */

struct probe {
	struct loop *loop;
	struct held *held;		/* the caller's */
	pid_t pid;
	int fd;				/* -1: between two tries */
	int64_t connected;		/* loop_now() */
	int64_t pause;			/* before the next look */
	struct loop_timer again;
	/* Over fd; the probe is over: take that, and stop it. */
	void (*accepted)(struct probe *p);
};

/* held stays as long as the probe runs. */
void probe_start(struct probe *p, struct loop *loop, struct held *held, pid_t pid,
		 void (*accepted)(struct probe *p));
void probe_stop(struct probe *p);	/* accepts one that is all zeroes */

#endif
