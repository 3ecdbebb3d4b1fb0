/* One client's connection: what it sends becomes calls, one after the other, and
 * answers go out as fast as it reads.
 *
 * Nobody is waited for in vain: who asks nothing for IDLE_MS, does not end a
 * request within HALF_MS of its first byte, or reads nothing for UNREAD_MS while
 * there is something to read, is hung up on.  A call under way may take for ever.
 * Who does not read its answers is served no further requests. */
#ifndef HOLDPORT_CONTROL_CONNECTION_H
#define HOLDPORT_CONTROL_CONNECTION_H

#include "control/varlink.h"

enum {
	CONNECTION_IDLE_MS = 300000,
	CONNECTION_HALF_MS = 30000,
	CONNECTION_UNREAD_MS = 30000,
	CONNECTION_LAST_MS = 1000,		/* for all of them, at our own end */
	CONNECTION_PAUSE_AT = 64 << 10,		/* unsent bytes */
	CONNECTION_REQUESTS_A_TURN = 16,
};

/* Takes fd. */
void connection_new(struct varlink *v, int fd, bool stranger);
/* What is unsent is sent as long as it reads, until then (clock_monotonic_ms();
 * 0: only what can be sent at once).  The loop turns no more: this waits by itself. */
void connection_close(struct client *c, int64_t until);
void connection_send(struct client *c, const char *text);	/* and the NUL behind it */
/* Its call has had its last answer. */
void connection_end_call(struct client *c);

/* varlink.c: a request that has come; answers now or later. */
void varlink_serve(struct call *call, const struct request *r);

#endif
