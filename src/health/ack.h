/* The acknowledgement of einhorn's workers: a unix stream socket for each, to
 * which it writes a line {"command":"worker:ack","pid":PID} when it serves.
 *
 * Some clients write YAML, escaped, in place of JSON; the words are the same.
 * Whose it is is known by where it was sent, as with notify.h; the pid in it is
 * not looked at. */
#ifndef HOLDPORT_HEALTH_ACK_H
#define HOLDPORT_HEALTH_ACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/list.h"
#include "loop/loop.h"

struct ack {
	int fd;
	char *path;
	struct loop *loop;
	struct loop_io io;
	struct list peers;
	size_t peer_count;
	void (*on)(struct ack *a);
};

/* Pure: does this line, without its end, acknowledge? */
bool ack_is(const char *line, size_t length);

/* Makes path, for this user alone ((uid_t)-1: for us). */
int ack_open(struct ack *a, struct loop *loop, const char *path, uid_t user,
	     void (*on)(struct ack *a), struct err *err);
/* One that an earlier manager made; takes fd. */
void ack_go_on(struct ack *a, struct loop *loop, int fd, const char *path,
	       void (*on)(struct ack *a));
void ack_close(struct ack *a);		/* accepts one that was never opened */

#endif
