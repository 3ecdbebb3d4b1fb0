#include "loop/fake/loop.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"

struct loop {
	int64_t now;
	struct list timers, ios, later, children;
};

struct loop *loop_new(struct err *err)
{
	struct loop *l = MEM_NEW(struct loop);

	(void)err;
	l->now = 1000;
	list_init(&l->timers);
	list_init(&l->ios);
	list_init(&l->later);
	list_init(&l->children);
	return l;
}

void loop_free(struct loop *l)
{
	free(l);
}

void loop_run(struct loop *l)
{
	do
		fake_loop_settle(l);
	while (fake_loop_next_timer(l));
}

void loop_stop(struct loop *l)
{
	(void)l;
}

int64_t loop_now(const struct loop *l)
{
	return l->now;
}

void loop_timer_start(struct loop *l, struct loop_timer *t, int64_t after_ms,
		      void (*on)(struct loop_timer *t))
{
	loop_timer_stop(t);
	t->loop = l;
	t->on = on;
	t->fake.due = l->now + (after_ms > 0 ? after_ms : 0);
	list_append(&l->timers, &t->fake.node);
}

void loop_hush(struct loop *l, struct loop_timer *t, void (*on)(struct loop_timer *t))
{
	loop_timer_start(l, t, 0, on);
}

void loop_timer_stop(struct loop_timer *t)
{
	if (!t->loop)
		return;
	list_remove(&t->fake.node);
	t->loop = NULL;
}

void loop_io_start(struct loop *l, struct loop_io *io, int fd, int events,
		   void (*on)(struct loop_io *io, int events))
{
	loop_io_stop(io);
	io->loop = l;
	io->fake.fd = fd;
	io->fake.events = events;
	io->on = on;
	list_append(&l->ios, &io->fake.node);
}

void loop_io_stop(struct loop_io *io)
{
	if (!io->loop)
		return;
	list_remove(&io->fake.node);
	io->loop = NULL;
}

void loop_io_close(struct loop_io *io, int *fd)
{
	loop_io_stop(io);
	fd_close(fd);
}

void loop_signal_start(struct loop *l, struct loop_signal *s, int number,
		       void (*on)(struct loop_signal *s))
{
	s->loop = l;
	s->number = number;
	s->on = on;
}

void loop_signal_stop(struct loop_signal *s)
{
	s->loop = NULL;
}

void loop_child_start(struct loop *l, struct loop_child *c, const struct process *process,
		      void (*on)(struct loop_child *c))
{
	c->loop = l;
	c->process = process;
	c->on = on;
	list_append(&l->children, &c->node);
}

void loop_child_stop(struct loop_child *c)
{
	if (!c->loop)
		return;
	list_remove(&c->node);
	c->loop = NULL;
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

void fake_loop_settle(struct loop *l)
{
	fake_loop_settle_some(l, ~0U);
}

void fake_loop_settle_some(struct loop *l, unsigned most)
{
	while (!list_empty(&l->later) && most--) {
		struct loop_later *t = OWNER(l->later.next, struct loop_later, node);

		loop_later_stop(t);
		t->on(t);
	}
}

static struct loop_timer *next_timer(struct loop *l)
{
	struct loop_timer *next = NULL;

	list_each(t, &l->timers, struct loop_timer, fake.node)
		if (!next || t->fake.due < next->fake.due)
			next = t;
	return next;
}

int64_t fake_loop_next_due(struct loop *l)
{
	struct loop_timer *t = next_timer(l);

	return t ? t->fake.due : -1;
}

bool fake_loop_next_timer(struct loop *l)
{
	struct loop_timer *t = next_timer(l);

	if (!t)
		return false;
	l->now = t->fake.due > l->now ? t->fake.due : l->now;
	loop_timer_stop(t);
	t->on(t);
	return true;
}

bool fake_loop_io(struct loop *l, int fd, int events)
{
	list_each(io, &l->ios, struct loop_io, fake.node)
		if (io->fake.fd == fd && io->fake.events & events) {
			io->on(io, events);
			return true;
		}
	return false;
}

bool fake_loop_child(struct loop *l, pid_t pid)
{
	list_each(c, &l->children, struct loop_child, node)
		if (c->process->pid == pid) {
			loop_child_stop(c);
			c->on(c);
			return true;
		}
	return false;
}
