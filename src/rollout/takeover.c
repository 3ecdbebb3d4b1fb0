#include "rollout/takeover.h"

#include "base/log.h"
#include "base/owner.h"
#include "rollout/generation.h"
#include "socket/rebind.h"

enum { LOOK_MS = 10 };

bool takeover_rebinds(const struct program *p)
{
	if (!p->next || !p->current)
		return false;
	for (size_t i = 0; i < p->next->means->held_count; i++)
		for (size_t k = 0; k < p->current->means->held_count; k++)
			if (rebind_rivals(p->next->means->held[i], p->current->means->held[k]))
				return true;
	return false;
}

/* Only workers that live can accept. */
static struct held *not_empty(const struct program *p)
{
	list_each(g, &p->generations, struct generation, node) {
		if (g == p->next || list_empty(&g->members))
			continue;
		for (size_t i = 0; i < g->means->held_count; i++)
			if (!means_has(p->next->means, g->means->held[i]) &&
			    !rebind_is_empty(g->means->held[i]))
				return g->means->held[i];
	}
	return NULL;
}

static void on_look(struct loop_timer *t)
{
	program_kick(OWNER(t, struct program, look));
}

static void begin(struct program *p)
{
	p->next->takes_over = true;
	p->took_over = loop_now(p->rollout->loop);
	p->given_up = false;
	log_info("%s/%u: what is new comes to its sockets from now on", p->name, p->next->number);
	rollout_steer(p->rollout);
}

static void give_up(struct program *p, const struct held *h)
{
	if (p->given_up)
		return;
	p->given_up = true;
	log_warning("%s: the old socket %s is not empty after %d s; its workers are told to stop "
		    "all the same", p->name, h->settings->name, TAKEOVER_MOST_MS / 1000);
}

bool takeover_waits(struct program *p)
{
	const struct held *h;

	if (!takeover_rebinds(p))
		return false;
	if (!p->next->takes_over)
		begin(p);
	h = not_empty(p);
	if (!h)
		return false;
	if (loop_now(p->rollout->loop) - p->took_over >= TAKEOVER_MOST_MS) {
		give_up(p, h);
		return false;
	}
	loop_timer_start(p->rollout->loop, &p->look, LOOK_MS, on_look);
	return true;
}

/* What comes to a spoilt one is lost, whoever has it. */
static void note_audience(const struct program *p)
{
	const struct generation *g = p->next && p->next->takes_over ? p->next : p->current;

	for (size_t i = 0; g && i < g->means->held_count; i++)
		g->means->held[i]->audience = !g->means->held[i]->spoilt;
}

void rollout_steer(struct rollout *r)
{
	if (!r->store->beside)
		return;
	list_each(h, &r->store->sockets, struct held, node)
		h->audience = false;
	list_each(p, &r->programs, struct program, node)
		note_audience(p);
	rebind_steer(r->store);
}
