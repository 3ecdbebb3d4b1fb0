#include "health/watchdog.h"

#include "base/owner.h"

static void on_silence(struct loop_timer *t)
{
	struct watchdog *w = OWNER(t, struct watchdog, timer);

	w->missed(w);
}

void watchdog_start(struct watchdog *w, struct loop *loop, int64_t interval,
		    void (*missed)(struct watchdog *w))
{
	watchdog_stop(w);
	if (!interval)
		return;
	*w = (struct watchdog){ .loop = loop, .interval = interval, .missed = missed };
	watchdog_ping(w);
}

void watchdog_ping(struct watchdog *w)
{
	if (!w->loop)
		return;
	w->heard = loop_now(w->loop);
	loop_timer_start(w->loop, &w->timer, w->interval, on_silence);
}

void watchdog_heard_at(struct watchdog *w, int64_t when)
{
	if (!w->loop || when > loop_now(w->loop))
		return;
	w->heard = when;
	loop_timer_start(w->loop, &w->timer, when + w->interval - loop_now(w->loop), on_silence);
}

void watchdog_stop(struct watchdog *w)
{
	loop_timer_stop(&w->timer);
	w->loop = NULL;
}
