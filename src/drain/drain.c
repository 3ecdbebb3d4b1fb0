#include "drain/drain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	FIRST_MS = 250,		/* most workers are gone before the first look */
	MOST_MS = 1000,
	COST_SHARE = 20,	/* of the time at most a twentieth is spent on looking */
	TELL_MS = 1000,
	TELL_EACH = 4,		/* so many workers are told of in that time, all in all */
	NEVER_TOLD = -2,
};

void drains_init(struct drains *s, struct store *store)
{
	*s = (struct drains){ .store = store };
	list_init(&s->all);
}

static size_t length_of(const struct drains *s)
{
	size_t n = 0;

	list_each(d, &s->all, struct drain, node)
		n++;
	return n;
}

static int look(struct drains *s, struct err *err)
{
	struct counted *list = mem_new((length_of(s) + 1) * sizeof(*list));
	size_t n = 0;
	int rc;

	list_each(d, &s->all, struct drain, node)
		list[n++] = (struct counted){ .worker = d->worker, .held = d->held,
					      .held_count = d->held_count, .ret = &d->count };
	rc = count_workers(s->store, list, n, err);
	free(list);
	return rc;
}

static bool can_be_empty(const struct drain *d, int64_t now)
{
	const struct worker *w = d->worker;

	return w->state == WORKER_DRAINING && w->asked && now >= w->extended;
}

static void judge(struct drain *d, int64_t now, int64_t tell_pause)
{
	bool nothing = d->count.connections == 0 && !d->count.listens;

	if (!nothing || !can_be_empty(d, now))
		d->empty_since = 0;
	else if (!d->empty_since)
		d->empty_since = now;
	if (d->count.connections >= 0 && d->count.connections != d->told &&
	    (d->told == NEVER_TOLD || now - d->told_at >= tell_pause)) {
		d->told = d->count.connections;
		d->told_at = now;
		d->on(d, DRAIN_COUNTED);
	}
	if (d->empty_since && now - d->empty_since >= DRAIN_EMPTY_MS && !d->empty) {
		d->empty = true;
		d->on(d, DRAIN_EMPTY);
	}
}

static void on_tick(struct loop_timer *t);

/* One that may be empty is looked at more often, for then it is soon decided. */
static int64_t pause_for(const struct drains *s, int64_t now)
{
	int64_t pause = s->pause;

	list_each(d, &s->all, struct drain, node) {
		int64_t left = d->empty_since + DRAIN_EMPTY_MS - now;

		if (!d->empty_since || d->empty)
			continue;
		pause = pause < FIRST_MS ? pause : FIRST_MS;
		pause = pause < left ? pause : left;
	}
	return pause;
}

static void look_again(struct drains *s, int64_t now, int64_t cost)
{
	int64_t pause = pause_for(s, now);

	s->pause = s->pause * 3 / 2 < MOST_MS ? s->pause * 3 / 2 : MOST_MS;
	pause = pause < COST_SHARE * cost ? COST_SHARE * cost : pause;
	loop_timer_start(s->store->loop, &s->tick, pause, on_tick);
}

/* Then it is the ladder's patience alone. */
static void give_up(struct drains *s, const struct err *why)
{
	if (!s->cannot)
		log_notice("connections cannot be counted (%s): a worker that was told to stop has "
			   "the whole time of its rungs", why->text);
	s->cannot = true;
}

static void on_tick(struct loop_timer *t)
{
	struct drains *s = OWNER(t, struct drains, tick);
	int64_t now = loop_now(s->store->loop), began = clock_monotonic_ms();
	int64_t tell_pause = TELL_MS * (1 + (int64_t)length_of(s) / TELL_EACH);
	struct err err = { 0 };
	int rc = look(s, &err);
	int64_t cost = clock_monotonic_ms() - began;

	if (rc < 0 && err.code == ENOTSUP) {
		give_up(s, &err);
		return;
	}
	list_each_safe(d, &s->all, struct drain, node)
		judge(d, now, tell_pause);
	if (!list_empty(&s->all))
		look_again(s, now, cost);
}

void drain_start(struct drain *d, struct drains *all, const struct worker *worker,
		 struct held *const *held, size_t held_count,
		 void (*on)(struct drain *d, enum drain_news news))
{
	if (d->drains || !held_count)
		return;
	d->drains = all;
	d->worker = worker;
	d->held = held;
	d->held_count = held_count;
	d->told = NEVER_TOLD;
	d->on = on;
	list_append(&all->all, &d->node);
	all->pause = FIRST_MS;
	if (!loop_timer_runs(&all->tick))
		loop_timer_start(all->store->loop, &all->tick, all->pause, on_tick);
}

void drain_stop(struct drain *d)
{
	struct drains *all = d->drains;

	if (!all)
		return;
	list_remove(&d->node);
	d->drains = NULL;
	if (list_empty(&all->all))
		loop_timer_stop(&all->tick);
}

const char *drain_text(const struct drain *d, char buf[DRAIN_TEXT_SIZE])
{
	int64_t left = worker_time_left(d->worker);
	char most[CLOCK_DURATION_SIZE], number[24];
	int n = d->count.connections;

	(void)snprintf(number, sizeof(number), "%d", n);
	(void)snprintf(buf, DRAIN_TEXT_SIZE, "%s connection%s left%s%s%s", n ? number : "no",
		       n == 1 ? "" : "s", left < 0 ? "" : ", ",
		       left < 0 ? "" : clock_duration((left + 999) / 1000 * 1000, most),
		       left < 0 ? "" : " at most");
	return buf;
}
