#include "control/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

enum { CHUNK = 16384 };

enum wait { WAIT_CALL, WAIT_REQUEST, WAIT_REST, WAIT_READER };

static const struct {
	int64_t ms;			/* 0: for ever */
	const char *what;
} waits[] = {
	[WAIT_CALL] = { 0, "" },
	[WAIT_REQUEST] = { CONNECTION_IDLE_MS, "it asks nothing" },
	[WAIT_REST] = { CONNECTION_HALF_MS, "it does not end its request" },
	[WAIT_READER] = { CONNECTION_UNREAD_MS, "it does not read its answers" },
};

static void on_client(struct loop_io *io, int events);
static void on_later(struct loop_later *l);

static void forget_call(struct client *c)
{
	struct call *call = c->call;

	if (!call)
		return;
	c->call = NULL;
	if (call->forget)
		call->forget(call);
	free(call);
}

static void drop(struct client *c)
{
	forget_call(c);
	loop_io_stop(&c->io);
	loop_later_stop(&c->later);
	loop_timer_stop(&c->rest);
	loop_timer_stop(&c->patience);
	fd_close(&c->fd);
	frames_fini(&c->in);
	str_fini(&c->out);
	list_remove(&c->node);
	c->server->client_count--;
	free(c);
}

static void on_patience_over(struct loop_timer *t)
{
	struct client *c = OWNER(t, struct client, patience);

	log_debug("control: a client is hung up on: %s", waits[c->waits_for].what);
	drop(c);
}

/* A full buffer while a call is under way is not read from, so the end of the
 * connection would not be heard either: that is not for ever. */
static enum wait waited_for(const struct client *c)
{
	if (c->out.length)
		return WAIT_READER;
	if (frames_full(&c->in))
		return WAIT_REST;
	if (c->call)
		return WAIT_CALL;
	return frames_waiting(&c->in) ? WAIT_REST : WAIT_REQUEST;
}

static void be_patient(struct client *c)
{
	int now = waited_for(c);

	if (now == c->waits_for && !c->moved && loop_timer_runs(&c->patience))
		return;
	c->waits_for = now;
	c->moved = false;
	loop_timer_stop(&c->patience);
	if (waits[now].ms)
		loop_timer_start(c->server->loop, &c->patience, waits[now].ms, on_patience_over);
}

/* What the loop shall tell: room to write while something is unsent, words to
 * read while there is room for them.  A hang-up must be heard always. */
static void watch(struct client *c)
{
	int events = (c->out.length ? LOOP_WRITE : 0) | (c->closing ? 0 : LOOP_READ);

	if (frames_full(&c->in))
		events &= ~LOOP_READ;
	loop_io_stop(&c->io);
	if (events)
		loop_io_start(c->server->loop, &c->io, c->fd, events, on_client);
	be_patient(c);
}

/* False: the client is to go. */
static bool flush(struct client *c)
{
	while (c->out.length) {
		ssize_t n = send(c->fd, c->out.data, c->out.length, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN && c->out.length <= VARLINK_UNSENT_MOST;
		str_cut(&c->out, (size_t)n);
		c->moved = true;
	}
	str_fini(&c->out);
	return !c->closing;
}

void connection_send(struct client *c, const char *text)
{
	str_add_n(&c->out, text, strlen(text) + 1);
	loop_later_start(c->server->loop, &c->later, on_later);
}

void connection_end_call(struct client *c)
{
	forget_call(c);
	loop_later_start(c->server->loop, &c->later, on_later);
}

static void serve(struct client *c, struct request *r)
{
	c->moved = true;
	c->call = MEM_NEW(struct call);
	c->call->client = c;
	c->call->more = r->more;
	c->call->oneway = r->oneway;
	varlink_serve(c->call, r);
	request_fini(r);
}

/* Anything that is no request ends the connection: there is no way to find the
 * next frame of somebody who does not speak the language. */
static bool serve_next(struct client *c)
{
	struct request r;
	enum frame f = frames_next(&c->in, &r);

	if (f == FRAME_REQUEST) {
		serve(c, &r);
	} else if (f != FRAME_NONE) {
		c->closing = true;
		loop_later_start(c->server->loop, &c->later, on_later);
	}
	return f == FRAME_REQUEST;
}

static void on_rest(struct loop_timer *t);

static void serve_waiting(struct client *c)
{
	int served = 0;

	while (!c->call && !c->closing && !loop_timer_runs(&c->rest) &&
	       c->out.length < CONNECTION_PAUSE_AT && serve_next(c))
		if (++served >= CONNECTION_REQUESTS_A_TURN)
			loop_timer_start(c->server->loop, &c->rest, 0, on_rest);
}

static void on_rest(struct loop_timer *t)
{
	struct client *c = OWNER(t, struct client, rest);

	serve_waiting(c);
	watch(c);
}

/* Not inside the method that answered: it may still use its call. */
static void on_later(struct loop_later *l)
{
	struct client *c = OWNER(l, struct client, later);

	if (!flush(c)) {
		drop(c);
		return;
	}
	serve_waiting(c);
	watch(c);
}

/* False: the client is gone. */
static bool read_some(struct client *c)
{
	char bytes[CHUNK];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	frames_add(&c->in, bytes, (size_t)n);
	return n > 0;
}

static void on_client(struct loop_io *io, int events)
{
	struct client *c = OWNER(io, struct client, io);

	if (((events & LOOP_READ) && !read_some(c)) || !flush(c)) {
		drop(c);
		return;
	}
	serve_waiting(c);
	watch(c);
}

void connection_new(struct varlink *v, int fd, bool stranger)
{
	struct client *c = MEM_NEW(struct client);

	c->server = v;
	c->fd = fd;
	c->stranger = stranger;
	c->in.most = stranger ? VARLINK_STRANGERS_FRAME_MOST : VARLINK_FRAME_MOST;
	list_append(&v->clients, &c->node);
	v->client_count++;
	watch(c);
}

static bool await_room(const struct client *c, int64_t until)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	int64_t left = until - clock_monotonic_ms();

	return left > 0 && (poll(&p, 1, (int)left) > 0 || errno == EINTR);
}

void connection_close(struct client *c, int64_t until)
{
	while (flush(c) && c->out.length && await_room(c, until))
		;
	drop(c);
}
