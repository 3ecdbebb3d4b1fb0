/* One step of a program from what is to what is wanted.  Runs at the end of a
 * turn of the loop, after everything that happened in it; runs again as long
 * as its own steps have consequences. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "process/private_dir.h"
#include "rollout/asks.h"
#include "rollout/asleep.h"
#include "rollout/goback.h"
#include "rollout/order.h"
#include "rollout/renewal.h"
#include "rollout/slots.h"
#include "rollout/step.h"
#include "rollout/takeover.h"

static bool has_open_seat(const struct generation *g)
{
	for (size_t i = 0; i < g->seat_count; i++)
		if (g->seats[i]->open)
			return true;
	return false;
}

void step_bury_empty(struct program *p)
{
	list_each_safe(g, &p->generations, struct generation, node) {
		if (g == p->current || g == p->next || !list_empty(&g->members) ||
		    has_open_seat(g))
			continue;
		if (g->state == GENERATION_PARTIAL)
			generation_on(g, GENERATION_EV_RETIRE);
		generation_on(g, GENERATION_EV_EMPTY);
		if (g->state == GENERATION_GONE)
			generation_free(g);
	}
}

void step_retire_others(struct program *p, const struct generation *but)
{
	list_each(g, &p->generations, struct generation, node)
		if (g != but)
			generation_on(g, GENERATION_EV_RETIRE);
}

void program_let_go(struct program *p)
{
	program_remember(p);
	step_retire_others(p, NULL);
	p->current = p->next = NULL;
	program_watch(p);
}

/* The store, or the one before us in the order, tells when it moves, and that wakes us. */
void step_note_waiting(struct program *p, const char *missing)
{
	if (p->waits_for && strcmp(p->waits_for, missing) == 0)
		return;
	free(p->waits_for);
	p->waits_for = mem_text(missing);
	program_tell(p, missing);
}

static void wait_no_more(struct program *p)
{
	free(p->waits_for);
	p->waits_for = NULL;
}

static void note_behind(struct program *p, const char *what, const char *until)
{
	char *text = mem_format("%s when %s is %s (after)", what, p->behind->name, until);

	step_note_waiting(p, text);
	free(text);
}

/* Those that are after it go first. */
static bool must_stay(struct program *p)
{
	p->behind = p->hasty ? NULL : order_before_stop(p);
	if (p->behind)
		note_behind(p, "stops", "gone");
	else
		wait_no_more(p);
	return p->behind;
}

static void step_down(struct program *p)
{
	if (must_stay(p)) {
		rollout_steer(p->rollout);
		return;
	}
	program_let_go(p);
	if (p->state == PROGRAM_STOPPING)
		program_forget_failure(p);
	rollout_steer(p->rollout);
	step_bury_empty(p);
	if (!list_empty(&p->generations))
		return;
	fd_store_clear(&p->kept);
	if (p->rollout->private_dir)
		private_dir_remove(p->rollout->private_dir, p->name);
	program_on(p, PROGRAM_EV_EMPTY, NULL);
	order_moved(p);
	asks_settle(p, ASK_DOWN, true, p->removed ? "is removed" : "is stopped", NULL);
}

/* Ends for good: by restart = …, or by start_attempts. */
void step_end_for_good(struct program *p, bool well)
{
	/* A success after the last failure has made that one forgotten. */
	const char *why = p->last_error ? p->last_error : "ended, and is not started again";
	const char *text = well ? "ended as it should" : why;

	p->up = false;
	asks_settle(p, ASK_SCALE, false, text, NULL);
	asks_settle(p, ASK_UP, well, text, well ? NULL : &p->last_lines);
	program_on(p, well ? PROGRAM_EV_FINISHED : PROGRAM_EV_GAVE_UP, text);
	program_kick(p);
}

static void on_retry(struct loop_timer *t)
{
	struct program *p = OWNER(t, struct program, retry);

	program_on(p, PROGRAM_EV_RETRY, NULL);
	program_step(p);
}

void program_retry_at(struct program *p, int64_t when)
{
	struct loop *l = p->rollout->loop;

	p->retry_at = when;
	loop_timer_start(l, &p->retry, when - loop_now(l), on_retry);
}

static void first_start_failed(struct program *p, const struct generation *g)
{
	const struct program_settings *s = g->means->program;
	char text[CLOCK_DURATION_SIZE];
	int64_t pause;

	p->failures++;
	if ((s->start_attempts && p->failures >= (unsigned)s->start_attempts) ||
	    s->restart == RESTART_NEVER) {
		step_end_for_good(p, false);
		return;
	}
	pause = backoff_delay(s->restart_delay, s->restart_delay_max, p->failures,
			      (unsigned)rand());
	log_notice("%s: is tried again in %s", p->name, clock_duration(pause, text));
	program_on(p, PROGRAM_EV_UNPROVED, p->last_error);
	program_retry_at(p, loop_now(p->rollout->loop) + pause);
}

static void tell_failure(struct program *p, const struct generation *g)
{
	struct str text = { 0 };

	str_add(&text, p->last_error);
	if (p->current)
		str_addf(&text, "; generation %u %s", p->current->number,
			 g->halted ? "and what was changed serve beside each other" : "serves on");
	asks_settle_wish(p, g->wish, false, str_text(&text), &p->last_lines);
	str_fini(&text);
}

/* What ran before runs on, by the means it had; a later wish keeps its own. */
static void change_failed(struct program *p)
{
	struct generation *g = p->next;

	p->next = NULL;
	p->done_wish = g->wish;
	if (p->current && p->wish == p->done_wish) {
		means_unref(p->wanted);
		p->wanted = means_copy(p->current->means, false);
	}
	tell_failure(p, g);
	if (p->current) {
		program_on(p, PROGRAM_EV_REVERTED, p->last_error);
		return;
	}
	/* Nothing to go back to: what it had proved goes too, for the next attempt
	 * begins from nothing. */
	generation_on(g, GENERATION_EV_RETIRE);
	first_start_failed(p, g);
}

/* A listener that had to be bound anew (a unix socket that somebody shut down)
 * is not the one that the workers have: they need a generation of their own. */
static void notice_rebinding(struct program *p)
{
	unsigned now;

	if (!p->current || p->next || !means_bound(p->wanted, NULL))
		return;
	now = means_bindings(p->wanted);
	list_each(m, &p->current->members, struct member, node) {
		if (!m->seat || m->bindings == means_bindings(m->means) ||
		    p->bindings_tried == now)
			continue;
		log_warning("%s: a socket was bound anew: its workers are replaced", p->name);
		p->bindings_tried = now;
		p->wish++;
	}
}

static bool should_begin(const struct program *p)
{
	if (p->next || loop_timer_runs(&p->retry))
		return false;
	return p->wish > p->done_wish || !p->current;
}

static bool is_its_turn(struct program *p)
{
	p->behind = order_before_start(p);
	if (p->behind)
		note_behind(p, "starts", "proved");
	return !p->behind;
}

static bool can_begin(struct program *p)
{
	struct str missing = { 0 };
	bool bound;

	slots_open(p);
	bound = means_bound(p->wanted, &missing);
	if (!bound)
		step_note_waiting(p, str_text(&missing));
	str_fini(&missing);
	return bound;
}

static void begin(struct program *p)
{
	struct means *means;

	if (p->current)
		program_on(p, PROGRAM_EV_CHANGE, NULL);
	if (!is_its_turn(p))
		return;
	means_renew(p->wanted);
	if (!can_begin(p))
		return;
	wait_no_more(p);
	list_each(g, &p->generations, struct generation, node)
		g->halted = false;
	p->strategy = p->wanted->program->strategy;
	p->bindings_tried = means_bindings(p->wanted);
	/* Each looks for its executable anew, but for one that goes back. */
	means = means_copy(p->wanted, true);
	executable_let_go(&p->wanted->executable);
	p->next = generation_new(p, ++p->last_number, p->wish, means);
	p->next->judged = p->goes_back;
	p->goes_back = false;
	means_unref(means);
}

/* Beyond max_generations the oldest goes to its next rung. */
static void limit_generations(struct program *p)
{
	int64_t most = p->wanted->program->max_generations;
	int64_t count = 0;

	list_each(g, &p->generations, struct generation, node)
		count++;
	list_each(g, &p->generations, struct generation, node) {
		if (count-- <= most || g == p->current || g == p->next || g->hurried ||
		    has_open_seat(g))
			continue;
		g->hurried = true;
		log_notice("%s/%u: more than %lld generations (max_generations); it is hurried",
			   p->name, g->number, (long long)most);
		list_each_safe(m, &g->members, struct member, node)
			if (!m->seat)
				worker_on(&m->worker, WORKER_EV_HURRY);
	}
}

void program_step(struct program *p)
{
	bool complete;

	loop_later_stop(&p->later);
	if (!p->up) {
		step_down(p);
		slots_settle(p);
		if (p->removed && list_empty(&p->generations)) {
			struct rollout *r = p->rollout;

			if (r->program_gone)
				r->program_gone(r, p->name, r->ctx);
			program_free(p);
		}
		return;
	}
	if (p->asleep) {
		asleep_step(p);
		slots_settle(p);
		return;
	}
	if (p->next && (p->next->state == GENERATION_FAILED || p->next->halted))
		change_failed(p);
	notice_rebinding(p);
	goback_step(p);
	if (p->up && should_begin(p))
		begin(p);
	complete = step_converge(p);
	if (p->current && !p->next)
		step_judge(p, complete);
	renewal_step(p);
	step_bury_empty(p);
	slots_settle(p);
	limit_generations(p);
	rollout_steer(p->rollout);
}
