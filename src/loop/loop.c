#include "loop/loop.h"

#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"

enum { LATER_A_TURN = 16 };		/* each may start a process */

struct loop {
	struct ev_loop *ev;
	ev_idle more;			/* no sleep: something is put off until after the next look */
	ev_check after_look;		/* closes what had to be open for it */
	ev_prepare before_sleep;	/* runs what was put off until the end of the turn */
	ev_periodic far_future;
	struct list later;
	int *closing;
	size_t closing_count;
	struct list children;		/* those without a handle */
	struct loop_signal child_signal;
};

static void no_period(EV_P_ ev_periodic *p, int revents)
{
	(void)loop;
	(void)p;
	(void)revents;
}

static void on_more(EV_P_ ev_idle *i, int revents)
{
	(void)revents;
	ev_idle_stop(EV_A_ i);
}

/* What is put off while this runs is for the same turn too: the machines come
 * to rest before the loop sleeps.  Of many only some: what workers and clients
 * say is heard while a thousand programs start. */
static void run_later(EV_P_ ev_prepare *p, int revents)
{
	struct loop *l = OWNER(p, struct loop, before_sleep);

	(void)loop;
	(void)revents;
	for (int i = 0; i < LATER_A_TURN && !list_empty(&l->later); i++) {
		struct loop_later *t = OWNER(l->later.next, struct loop_later, node);

		loop_later_stop(t);
		t->on(t);
	}
	if (!list_empty(&l->later))
		ev_idle_start(l->ev, &l->more);
}

static void close_all(struct loop *l)
{
	for (size_t i = 0; i < l->closing_count; i++)
		fd_close(&l->closing[i]);
	l->closing_count = 0;
}

static void on_looked(EV_P_ ev_check *c, int revents)
{
	(void)loop;
	(void)revents;
	close_all(OWNER(c, struct loop, after_look));
}

struct loop *loop_new(struct err *err)
{
	struct loop *l = MEM_NEW(struct loop);

	l->ev = ev_loop_new(EVFLAG_NOENV);
	if (!l->ev) {
		free(l);
		(void)err_set(err, 0, "cannot make an event loop: no usable kernel interface, "
				      "or no descriptors left");
		return NULL;
	}
	list_init(&l->later);
	list_init(&l->children);
	ev_prepare_init(&l->before_sleep, run_later);
	ev_prepare_start(l->ev, &l->before_sleep);
	ev_idle_init(&l->more, on_more);
	ev_check_init(&l->after_look, on_looked);
	ev_set_priority(&l->after_look, EV_MAXPRI);	/* before a callback closes the next */
	ev_check_start(l->ev, &l->after_look);
	/* An idle loop of libev 4.33 looks at the clock every 59.8 s; with a
	 * periodic watcher it asks for a timerfd, and sleeps on. */
	ev_periodic_init(&l->far_future, no_period, 4e9, 0., 0);
	ev_periodic_start(l->ev, &l->far_future);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	loop_signal_stop(&l->child_signal);
	ev_prepare_stop(l->ev, &l->before_sleep);
	ev_idle_stop(l->ev, &l->more);
	ev_check_stop(l->ev, &l->after_look);
	close_all(l);
	free(l->closing);
	ev_periodic_stop(l->ev, &l->far_future);
	ev_loop_destroy(l->ev);
	free(l);
}

void loop_run(struct loop *l)
{
	(void)ev_run(l->ev, 0);
}

void loop_stop(struct loop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}

int64_t loop_now(const struct loop *l)
{
	(void)l;
	return clock_monotonic_ms();
}

static void on_timer(EV_P_ ev_timer *ev, int revents)
{
	struct loop_timer *t = OWNER(ev, struct loop_timer, ev);

	(void)loop;
	(void)revents;
	t->loop = NULL;
	t->on(t);
}

void loop_timer_start(struct loop *l, struct loop_timer *t, int64_t after_ms,
		      void (*on)(struct loop_timer *t))
{
	loop_timer_stop(t);
	t->loop = l;
	t->on = on;
	/* libev counts from the start of the turn, which may be a while ago. */
	ev_now_update(l->ev);
	ev_timer_init(&t->ev, on_timer, after_ms > 0 ? (double)after_ms / 1000. : 0., 0.);
	ev_timer_start(l->ev, &t->ev);
}

/* One may have come in this turn: libev's handler has it, and tells in the next. */
void loop_hush(struct loop *l, struct loop_timer *t, void (*on)(struct loop_timer *t))
{
	loop_timer_stop(t);
	platform_block_signals();
	t->loop = l;
	t->on = on;
	ev_timer_init(&t->ev, on_timer, 0., 0.);
	ev_set_priority(&t->ev, EV_MINPRI);
	ev_timer_start(l->ev, &t->ev);
}

void loop_timer_stop(struct loop_timer *t)
{
	if (!t->loop)
		return;
	ev_timer_stop(t->loop->ev, &t->ev);
	t->loop = NULL;
}

static void on_io(EV_P_ ev_io *ev, int revents)
{
	struct loop_io *io = OWNER(ev, struct loop_io, ev);

	(void)loop;
	io->on(io, (revents & EV_READ ? LOOP_READ : 0) | (revents & EV_WRITE ? LOOP_WRITE : 0));
}

void loop_io_start(struct loop *l, struct loop_io *io, int fd, int events,
		   void (*on)(struct loop_io *io, int events))
{
	int wanted = (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);

	loop_io_stop(io);
	io->loop = l;
	io->on = on;
	ev_io_init(&io->ev, on_io, fd, wanted);
	ev_io_start(l->ev, &io->ev);
}

void loop_io_stop(struct loop_io *io)
{
	if (!io->loop)
		return;
	ev_io_stop(io->loop->ev, &io->ev);
	io->loop = NULL;
}

void loop_io_close(struct loop_io *io, int *fd)
{
	struct loop *l = io->loop;

	loop_io_stop(io);
	if (!l || *fd < 0) {
		fd_close(fd);
		return;
	}
	l->closing = mem_grow(l->closing, l->closing_count + 1, sizeof(*l->closing));
	l->closing[l->closing_count++] = fd_take(fd);
	ev_idle_start(l->ev, &l->more);
}

static void on_signal(EV_P_ ev_signal *ev, int revents)
{
	struct loop_signal *s = OWNER(ev, struct loop_signal, ev);

	(void)loop;
	(void)revents;
	s->on(s);
}

void loop_signal_start(struct loop *l, struct loop_signal *s, int number,
		       void (*on)(struct loop_signal *s))
{
	loop_signal_stop(s);
	s->loop = l;
	s->number = number;
	s->on = on;
	ev_signal_init(&s->ev, on_signal, number);
	ev_signal_start(l->ev, &s->ev);
}

void loop_signal_stop(struct loop_signal *s)
{
	if (!s->loop)
		return;
	ev_signal_stop(s->loop->ev, &s->ev);
	s->loop = NULL;
}

void loop_later_start(struct loop *l, struct loop_later *t, void (*on)(struct loop_later *t))
{
	t->on = on;
	if (t->loop)
		return;
	t->loop = l;
	list_append(&l->later, &t->node);
}

void loop_later_stop(struct loop_later *t)
{
	if (!t->loop)
		return;
	list_remove(&t->node);
	t->loop = NULL;
}

/* Children by handle: the pidfd becomes readable (pidfd_open(2), Linux 5.3). */
static void on_handle(struct loop_io *io, int events)
{
	struct loop_child *c = OWNER(io, struct loop_child, io);

	(void)events;
	loop_child_stop(c);
	c->on(c);
}

/* Children without one: a look at each that we watch, never at strangers. */
static void on_child_signal(struct loop_signal *s)
{
	struct loop *l = OWNER(s, struct loop, child_signal);
	struct process_end end;

	list_each_safe(c, &l->children, struct loop_child, node) {
		if (platform_peek(c->process, &end) == 0)
			continue;
		loop_child_stop(c);
		c->on(c);
	}
}

void loop_child_start(struct loop *l, struct loop_child *c, const struct process *process,
		      void (*on)(struct loop_child *c))
{
	c->loop = l;
	c->process = process;
	c->on = on;
	list_init(&c->node);
	if (process->handle >= 0) {
		loop_io_start(l, &c->io, process->handle, LOOP_READ, on_handle);
		return;
	}
	list_append(&l->children, &c->node);
	if (!l->child_signal.loop)
		loop_signal_start(l, &l->child_signal, SIGCHLD, on_child_signal);
	ev_feed_signal_event(l->ev, SIGCHLD);	/* it may have ended before we looked */
}

void loop_child_stop(struct loop_child *c)
{
	if (!c->loop)
		return;
	loop_io_stop(&c->io);
	list_remove(&c->node);
	c->loop = NULL;
}
