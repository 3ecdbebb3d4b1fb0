/* sd_notify(3), the sending side: what a service manager above us is told.
 *
 * READY=1 when everything was started; a busy address is waited for afterwards,
 * and told as STATUS.  WATCHDOG=1 comes out of the loop, at half the interval
 * that was asked for: it says that the loop turns.  Nobody there is no fault, and
 * one that does not listen is not waited for. */
#ifndef HOLDPORT_SUPERVISOR_UPWARD_H
#define HOLDPORT_SUPERVISOR_UPWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "loop/loop.h"

struct upward {
	char *path;			/* NULL: nobody is there */
	int64_t interval;		/* ms between two signs of life; 0: none wanted */
	struct loop *loop;		/* NULL: not started */
	int fd;
	struct str pending;		/* lines that were not taken yet */
	char *status;			/* the last one; NULL: none */
	bool status_due;
	bool refused;			/* said so already */
	struct loop_timer alive, again;
};

/* The values of NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID; each may be NULL. */
void upward_init(struct upward *u, const char *path, const char *usec, const char *pid);
void upward_start(struct upward *u, struct loop *loop);
void upward_stop(struct upward *u);
/* Lines as in sd_notify(3), without a newline at the end. */
void upward_say(struct upward *u, const char *lines);
void upward_reloading(struct upward *u);
void upward_status(struct upward *u, const char *text);	/* nothing if it is the last one */

#endif
