#include "rollout/renewal.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

enum { JITTER = 10 };	/* the tenth part of max_age, at most */

/* The same in every manager: workers that came together do not go together. */
static int64_t jitter(const struct member *m, int64_t age)
{
	return (int64_t)((uint32_t)m->worker.pid * 2654435761U % (uint64_t)(age / JITTER + 1));
}

static void on_old(struct loop_timer *t)
{
	renewal_wanted(OWNER(t, struct member, age), RENEW_AGE);
}

void renewal_watch(struct member *m)
{
	int64_t most = m->generation->means->program->max_age;
	int64_t now = loop_now(m->worker.loop);

	loop_timer_stop(&m->age);
	if (!m->serves_since)
		m->serves_since = now;
	if (most > 0)
		loop_timer_start(m->worker.loop, &m->age,
				 m->serves_since + most - jitter(m, most) - now, on_old);
}

void renewal_stop(struct member *m)
{
	loop_timer_stop(&m->age);
}

void renewal_wanted(struct member *m, enum renew_why why)
{
	if (m->renew & 1U << why)
		return;
	if (!m->renew)
		m->renew_since = loop_now(m->worker.loop);
	m->renew |= 1U << why;
	program_kick(m->generation->program);
}

void renewal_needless(struct member *m, enum renew_why why)
{
	m->renew &= ~(1U << why);
}

static int64_t interval_of(const struct program *p)
{
	const struct program_settings *s = p->current->means->program;

	return s->health.how == READY_NONE ? s->restart_delay_max
					   : s->health_interval * s->health_failures;
}

void renewal_failed(struct program *p, const char *name, const char *why)
{
	log_warning("%s: its replacement did not come up, and it stays: %s", name, why);
	if (p->current)
		renewals_note(&p->renewals, interval_of(p), loop_now(p->rollout->loop));
}

static struct renew_seat look_at(const struct seat *s)
{
	const struct member *m = s->member;
	bool serves = m && m->worker.state == WORKER_SERVING;

	return (struct renew_seat){
		.serves = serves || s->done || !s->open,
		.busy = s->spare || (m && m->renewed),
		.why = serves && s->open ? renew_most(m->renew) : RENEW_NOT,
		.since = serves ? m->renew_since : 0,
	};
}

static bool any_wanted(const struct generation *g)
{
	for (size_t i = 0; i < g->seat_count; i++)
		if (g->seats[i]->member && g->seats[i]->member->renew)
			return true;
	return false;
}

static int choose(const struct program *p)
{
	const struct generation *g = p->current;
	struct renew_seat *seats = mem_new(g->seat_count * sizeof(*seats));
	struct renew_view v = {
		.seats = seats, .count = g->seat_count,
		.alone = g->means->program->strategy == STRATEGY_REPLACE,
	};
	int next;

	for (size_t i = 0; i < v.count; i++)
		seats[i] = look_at(g->seats[i]);
	next = renew_next(&v);
	free(seats);
	return next;
}

static void on_again(struct loop_timer *t)
{
	program_kick(OWNER(t, struct program, renew_again));
}

void renewal_step(struct program *p)
{
	int64_t now = loop_now(p->rollout->loop), when;
	enum renew_why why;
	struct member *m;
	int next;

	if (!p->up || !p->current || p->next || !any_wanted(p->current) ||
	    (next = choose(p)) < 0)
		return;
	when = renewals_not_before(&p->renewals, interval_of(p));
	if (when > now) {
		loop_timer_start(p->rollout->loop, &p->renew_again, when - now, on_again);
		return;
	}
	m = p->current->seats[next]->member;
	why = renew_most(m->renew);
	log_notice("%s: worker %ld is replaced: %s", m->name, (long)m->worker.pid,
		   renew_text(why));
	program_news_worker(p, m, renew_text(why));
	if (why == RENEW_HEALTH)
		renewals_note(&p->renewals, interval_of(p), now);
	generation_renew(p->current, (size_t)next);
}
