/* sd_notify(3), the sending side: what a service manager above us is told.
 *
 * READY=1 when everything was started; a busy address is waited for afterwards,
 * and told as STATUS.  WATCHDOG=1 comes out of the loop, at half the interval
 * that was asked for: it says that the loop turns.  Nobody there is no fault, and
 * one that does not listen is not waited for.  A service manager believes only the
 * process that it started: the keeper says it for us (keeper/relay.h). */
#ifndef HOLDPORT_SUPERVISOR_UPWARD_H
#define HOLDPORT_SUPERVISOR_UPWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "keeper/link.h"
#include "loop/loop.h"
#include "supervisor/deposit.h"

struct upward {
	bool there;			/* somebody listens */
	int64_t interval;		/* ms between two signs of life; 0: none wanted */
	struct loop *loop;		/* NULL: not started */
	struct keeper_link *link;	/* who says it for us */
	char *sent;			/* what has no answer yet, or NULL */
	struct str pending;		/* lines that were not taken yet */
	char *status;			/* the last one; NULL: none */
	bool status_due;
	bool refused;			/* said so already */
	struct loop_timer alive, again;
	struct deposit deposit;
};

/* The values of NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, each may be NULL; us: the
 * process that was started. */
void upward_init(struct upward *u, const char *path, const char *usec, const char *pid,
		 pid_t us);
void upward_start(struct upward *u, struct loop *loop, struct keeper_link *link);
/* The keeper has said it (0), or could not (errno). */
void upward_answered(struct upward *u, int64_t number, int why);
void upward_stop(struct upward *u);
/* Lines as in sd_notify(3), without a newline at the end. */
void upward_say(struct upward *u, const char *lines);
void upward_reloading(struct upward *u);
void upward_status(struct upward *u, const char *text);	/* nothing if it is the last one */

#endif
