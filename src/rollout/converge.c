/* From seats as they are to seats as they shall be: what strategy.h decides is
 * done here. */
#include <stdlib.h>

#include "base/mem.h"
#include "rollout/asks.h"
#include "rollout/goback.h"
#include "rollout/slots.h"
#include "rollout/step.h"
#include "rollout/takeover.h"

struct sight {
	struct strategy_view view;
	enum seat_sight *target;
	bool *others;
	unsigned *steps;
};

/* Going back from a failed change is a change too; a current generation with
 * nobody beside it just gets what it wants. */
static enum strategy strategy_now(const struct program *p, const struct sight *s)
{
	bool beside = false;

	if (p->strategy == STRATEGY_REPLACE)
		return STRATEGY_REPLACE;
	for (size_t i = 0; i < s->view.count; i++)
		beside = beside || s->others[i];
	if (p->next)
		return p->current && !takeover_rebinds(p) ? p->strategy : STRATEGY_OVERLAP;
	return beside ? STRATEGY_ROLLING : STRATEGY_OVERLAP;
}

static size_t seats_at_most(const struct program *p, size_t wanted)
{
	size_t most = wanted;

	list_each(g, &p->generations, struct generation, node)
		if (g->seat_count > most)
			most = g->seat_count;
	return most;
}

/* Draining workers of an earlier life are in nobody's way, except where the
 * strategy says that old and new must not run beside each other. */
static void look(const struct program *p, const struct generation *target, struct sight *ret)
{
	struct strategy_view *v = &ret->view;

	*v = (struct strategy_view){ .wanted = program_wanted_workers(p) };
	v->batch = (size_t)target->means->program->rolling_batch;
	v->count = seats_at_most(p, v->wanted);
	ret->target = mem_grow(NULL, v->count, sizeof(*ret->target));
	ret->others = mem_new(v->count * sizeof(*ret->others));
	ret->steps = mem_new(v->count * sizeof(*ret->steps));
	for (size_t i = 0; i < v->count; i++)
		ret->target[i] = generation_sight(target, i);
	list_each(g, &p->generations, struct generation, node) {
		if (g == target)
			continue;
		v->others_alive = v->others_alive || !list_empty(&g->members);
		for (size_t i = 0; i < g->seat_count; i++)
			ret->others[i] = ret->others[i] || g->seats[i]->open;
	}
	v->target = ret->target;
	v->others = ret->others;
	v->strategy = strategy_now(p, ret);
}

static void close_others(struct program *p, struct generation *target, size_t index)
{
	list_each(g, &p->generations, struct generation, node)
		if (g != target)
			generation_close(g, index);
	if (generation_sight(target, index) == SEAT_PROVED)
		generation_on(target, GENERATION_EV_SHARED);
}

static bool closes_more(const struct sight *s)
{
	for (size_t i = s->view.wanted; i < s->view.count; i++)
		if (s->steps[i] & (SEAT_CLOSE | SEAT_CLOSE_OTHERS))
			return true;
	return false;
}

/* A failure on the way ends the walk: the next step sees it. */
static void take_steps(struct program *p, struct generation *target, const struct sight *s,
		       bool quiet)
{
	for (size_t i = 0; i < s->view.count; i++) {
		if (i >= s->view.wanted && !quiet)
			continue;
		if (s->steps[i] & SEAT_CLOSE)
			generation_close(target, i);
		if (s->steps[i] & SEAT_CLOSE_OTHERS)
			close_others(p, target, i);
		if (s->steps[i] & SEAT_OPEN)
			generation_open(target, i);
		if (target->state == GENERATION_FAILED || target->halted)
			return;
	}
}

static void promote(struct program *p)
{
	struct generation *g = p->next, *was = p->current;

	program_remember(p);
	/* One that is no good is nothing to go back to, unless it was just left. */
	if (was && was->condemned && !was->judged) {
		means_unref(p->present);
	} else {
		means_unref(p->before);
		p->before = p->present;
	}
	p->present = NULL;
	generation_on(g, GENERATION_EV_PROVED);
	p->current = g;
	g->current_since = loop_now(p->rollout->loop);
	p->vitals = (struct vitals){ 0 };
	program_watch(p);
	program_remember(p);
	p->next = NULL;
	p->done_wish = g->wish;
	p->failures = 0;
	/* It may have lost a seat on the way here: then that is the last failure. */
	if (!step_gave_up_a_seat(p))
		program_forget_failure(p);
	goback_promoted(p, was);
	step_retire_others(p, g);
	program_on(p, PROGRAM_EV_PROVED, p->last_error);
	asks_settle_wish(p, g->wish, true, "is running", NULL);
}

/* Somebody stopped half way on purpose (on_failure = stop): nothing moves until
 * the next wish. */
static bool halted(const struct program *p)
{
	if (p->next)
		return false;
	list_each(g, &p->generations, struct generation, node)
		if (g->halted && g->state == GENERATION_PARTIAL)
			return true;
	return false;
}

bool step_converge(struct program *p)
{
	struct generation *target = p->next ? p->next : p->current;
	struct sight s;
	bool complete, quiet;

	if (!target)
		return false;
	if (halted(p)) {
		(void)slots_quiet(p, false);
		p->scaling = false;
		asks_settle(p, ASK_SCALE, false, "a change was stopped half way (on_failure); "
			    "restart it first", NULL);
		return false;
	}
	/* First nobody, then the new: but not before the old queue is empty. */
	if (p->next && p->strategy == STRATEGY_REPLACE && takeover_waits(p)) {
		(void)slots_quiet(p, false);
		return false;
	}
	look(p, target, &s);
	complete = strategy_next(&s.view, s.steps);
	quiet = slots_quiet(p, complete || closes_more(&s));
	take_steps(p, target, &s, quiet);
	complete = complete && quiet;
	free(s.target);
	free(s.others);
	free(s.steps);
	if (!complete && target == p->next)
		generation_on(target, GENERATION_EV_FILLED);
	if (complete && target == p->next && takeover_waits(p))
		return false;
	if (complete && target == p->next)
		promote(p);
	else if (complete)
		step_retire_others(p, target);
	return complete;
}
