#include "intercept/door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/pass.h"
#include "intercept/catch.h"
#include "process/wire.h"
#include "platform/platform.h"

enum { VISITORS_MOST = 64, QUEUE_MOST = 128 };

struct visitor {
	struct list node;
	struct door *door;
	int fd;
	struct loop_io io;
	struct catch *catch;		/* what he says is being heard */
};

static void visitor_free(struct visitor *v)
{
	v->door->count--;
	loop_io_stop(&v->io);
	catch_forget(v->catch);
	fd_close(&v->fd);
	list_remove(&v->node);
	free(v);
}

bool door_understand(const struct wire_call *call, struct trap *ret)
{
	if (call->length > sizeof(call->sa) ||
	    (!call->listens && call->length < sizeof(sa_family_t)))
		return false;
	*ret = (struct trap){ .call = call->listens ? TRAP_LISTEN : TRAP_BIND, .fd = call->fd,
			      .sa = call->sa, .length = (socklen_t)call->length,
			      .device = (dev_t)call->device, .directory = (ino_t)call->directory };
	return true;
}

static void on_ended(int result, void *ctx)
{
	struct visitor *v = ctx;

	(void)result;
	v->catch = NULL;
	visitor_free(v);
}

/* A process that cannot be ended has its place among those who came as long as it
 * lives: there are no more of them than places. */
static void outlast(struct visitor *v)
{
	fd_close(&v->fd);
	catch_outlast(v->catch, on_ended);
}

/* Nothing: who means it calls again. */
static void on_heard(int result, void *ctx)
{
	struct visitor *v = ctx;
	struct report r = { .listener = -1, .visitor = v->fd };
	struct wire_call call;
	int own = -1;
	ssize_t n;

	if (result < 0) {
		outlast(v);
		return;
	}
	v->catch = NULL;
	n = pass_receive(result, &call, sizeof(call), &own);
	if (n == (ssize_t)sizeof(call) && own >= 0 && door_understand(&call, &r.trap)) {
		r.trap.thread = platform_peer_pid(v->fd);
		v->door->told(v->door, &r, &own);
	}
	fd_drop(&own);
	visitor_free(v);
}

/* He may send a file that holds whoever closes it, so another process takes it. */
static void on_visitor(struct loop_io *io, int events)
{
	struct visitor *v = OWNER(io, struct visitor, io);
	struct err err;

	(void)events;
	loop_io_stop(&v->io);
	v->catch = catch_start(v->door->loop, platform_message_catch, v->fd, on_heard, v, &err);
	if (!v->catch)
		visitor_free(v);
}

/* Of those who say nothing the first goes. */
static bool make_room(struct door *d)
{
	list_each(v, &d->visitors, struct visitor, node)
		if (!v->catch) {
			visitor_free(v);
			return true;
		}
	return false;
}

static void on_knock(struct loop_io *io, int events)
{
	struct door *d = OWNER(io, struct door, io);
	int fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visitor *v;

	(void)events;
	if (fd < 0)
		return;
	if (d->count == VISITORS_MOST && !make_room(d)) {
		fd_close(&fd);
		return;
	}
	v = MEM_NEW(struct visitor);
	v->door = d;
	v->fd = fd;
	d->count++;
	list_append(&d->visitors, &v->node);
	loop_io_start(d->loop, &v->io, fd, LOOP_READ, on_visitor);
}

/* It is listened at before it can be found: whoever calls there finds the one that was,
 * or this one, and never none. */
static int publish(int fd, const char *fresh, const char *path, uid_t user)
{
	if ((user != (uid_t)-1 && chown(fresh, user, (gid_t)-1) < 0) ||
	    platform_listen(fd, QUEUE_MOST) < 0)
		return -1;
	return rename(fresh, path);
}

int door_make(const char *path, uid_t user, struct err *err)
{
	char *fresh = mem_text(path);
	int fd;

	fresh[strlen(fresh) - 1] = '+';		/* a path may not be longer */
	fd = platform_own_socket(fresh, SOCK_SEQPACKET, 0600, err);
	if (fd < 0) {
		(void)err_in(err, "handoff = intercept");
	} else if (publish(fd, fresh, path, user) < 0) {
		(void)err_sys(err, errno, "cannot give the socket %s to its worker", path);
		fd_close(&fd);
		(void)unlink(fresh);
	}
	free(fresh);
	return fd;
}

bool door_is(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

void door_open(struct door *d, struct loop *loop, int fd,
	       void (*told)(struct door *d, const struct report *r, int *own))
{
	*d = (struct door){ .fd = fd, .loop = loop, .told = told };
	list_init(&d->visitors);
	loop_io_start(loop, &d->io, fd, LOOP_READ, on_knock);
}

void door_close(struct door *d)
{
	if (!d->loop)
		return;
	list_each_safe(v, &d->visitors, struct visitor, node)
		visitor_free(v);
	loop_io_stop(&d->io);
	d->loop = NULL;
}
