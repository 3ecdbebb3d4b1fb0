#include "health/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "socket/rebind.h"

enum {
	LOOK_FIRST_MS = 1,	/* after connect(2); doubled */
	LOOK_MOST_MS = 64,
	HOLD_MS = 1000,		/* nobody accepted it: a fresh one may meet the worker */
	AGAIN_MS = 10,		/* another process had it; with jitter, so that we do not
				 * keep step with whoever takes turns */
	PAUSES = 8,		/* as long as a look took, until the next */
};

static void connect_again(struct probe *p, int64_t after);

static void on_look(struct loop_timer *t)
{
	struct probe *p = OWNER(t, struct probe, again);
	unsigned long inode = 0;
	int64_t now = loop_now(p->loop);
	int found = platform_find_acceptor(p->fd, &inode, NULL);

	if (found > 0 && (p->pid == PROBE_ANYBODY ||
			  platform_holds_socket(p->pid, inode, NULL) > 0)) {
		p->accepted(p);
		return;
	}
	if (found > 0 || loop_now(p->loop) - p->connected > HOLD_MS) {
		connect_again(p, AGAIN_MS + rand() % AGAIN_MS +
				 PAUSES * (loop_now(p->loop) - now));
		return;
	}
	p->pause = p->pause * 2 > LOOK_MOST_MS ? LOOK_MOST_MS : p->pause * 2;
	loop_timer_start(p->loop, &p->again, p->pause, on_look);
}

/* A socket that is to take the place of another hears nothing yet.  On loopback
 * the handshake is over when connect(2) returns. */
static int connect_to(struct probe *p, const struct address *to)
{
	int rc;

	rebind_open_door(p->held);
	rc = connect(p->fd, (const struct sockaddr *)&to->sa, to->length);
	if (rc < 0 && errno == EINPROGRESS)
		rc = 0;
	rebind_close_door(p->held);
	return rc;
}

static void on_connect(struct loop_timer *t)
{
	struct probe *p = OWNER(t, struct probe, again);
	struct address to;

	address_reach(&p->held->key.address, &to);
	p->fd = socket(to.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0 || connect_to(p, &to) < 0) {
		log_debug("readiness probe: %s", strerror(errno));
		connect_again(p, HOLD_MS);
		return;
	}
	p->connected = loop_now(p->loop);
	p->pause = LOOK_FIRST_MS;
	loop_timer_start(p->loop, &p->again, p->pause, on_look);
}

static void connect_again(struct probe *p, int64_t after)
{
	fd_close(&p->fd);
	loop_timer_start(p->loop, &p->again, after, on_connect);
}

void probe_start(struct probe *p, struct loop *loop, struct held *held, pid_t pid,
		 void (*accepted)(struct probe *p))
{
	*p = (struct probe){ .loop = loop, .held = held, .pid = pid, .fd = -1, .accepted = accepted };
	connect_again(p, 0);
}

void probe_stop(struct probe *p)
{
	if (!p->loop)
		return;
	loop_timer_stop(&p->again);
	fd_close(&p->fd);
}
