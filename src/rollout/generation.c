#include "rollout/generation.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "process/cgroups.h"
#include "rollout/backoff.h"
#include "rollout/ending.h"
#include "rollout/goback.h"
#include "rollout/program.h"
#include "rollout/renewal.h"
#include "rollout/vital.h"

struct generation *generation_new(struct program *p, unsigned number, unsigned wish,
				  struct means *means)
{
	struct generation *g = MEM_NEW(struct generation);

	g->program = p;
	g->number = number;
	g->wish = wish;
	g->means = means_ref(means);
	list_init(&g->members);
	list_append(&p->generations, &g->node);
	return g;
}

char *generation_group(const struct generation *g)
{
	return mem_format("%s.%u", g->program->name, g->number);
}

static void leave_group(struct generation *g)
{
	char *name = generation_group(g);

	cgroups_leave(g->program->rollout->cgroups, name,
		      g->means->program->kill_mode != KILL_PROCESS);
	free(name);
}

void generation_free(struct generation *g)
{
	if (g->grouped)
		leave_group(g);
	list_remove(&g->node);
	for (size_t i = 0; i < g->seat_count; i++) {
		loop_timer_stop(&g->seats[i]->again);
		free(g->seats[i]);
	}
	free(g->seats);
	free(g->failure);
	free(g->condemned);
	text_list_fini(&g->failure_lines);
	means_unref(g->means);
	free(g);
}

static struct seat *seat_at(struct generation *g, size_t index)
{
	while (g->seat_count <= index) {
		struct seat *seat = MEM_NEW(struct seat);

		seat->generation = g;
		seat->index = (unsigned)g->seat_count;
		g->seats = mem_grow(g->seats, g->seat_count + 1, sizeof(struct seat *));
		g->seats[g->seat_count++] = seat;
	}
	return g->seats[index];
}

static void tell_news(struct generation *g, const char *text)
{
	struct news n = {
		.what = "generation", .state = generation_state_word(g->state),
		.program = g->program->name, .generation = g->number, .worker = -1, .text = text,
	};

	program_news(g->program, &n);
}

static void let_go(struct generation *g)
{
	for (size_t i = 0; i < g->seat_count; i++)
		if (generation_sight(g, i) == SEAT_OPENING)
			generation_close(g, i);
}

static void close_all(struct generation *g)
{
	for (size_t i = 0; i < g->seat_count; i++)
		generation_close(g, i);
}

static void note(struct generation *g)
{
	(void)g;
}

void generation_on(struct generation *g, enum generation_event event)
{
	static void (*const acts[])(struct generation *) = {
		[GENERATION_NOTE] = note,
		[GENERATION_LET_GO] = let_go,
		[GENERATION_CLOSE_ALL] = close_all,
	};
	const struct generation_arrow *a = generation_arrow(g->state, event);
	enum generation_state was = g->state;

	if (a->act == GENERATION_NOTHING)
		return;
	g->state = a->to;
	acts[a->act](g);
	if (g->state == was)
		return;
	tell_news(g, g->state == GENERATION_FAILED ? g->failure : NULL);
	program_kick(g->program);
}

static void note_failure(struct generation *g, char *text, struct text_list *lines)
{
	free(g->failure);
	text_list_fini(&g->failure_lines);
	g->failure = text;
	g->failure_lines = *lines;
	*lines = (struct text_list){ 0 };
	program_note_failure(g->program, g);
}

static void on_again(struct loop_timer *t);

static void fill_at(struct seat *seat, int64_t when)
{
	struct loop *l = seat->generation->program->rollout->loop;

	seat->again_at = when;
	loop_timer_start(l, &seat->again, when - loop_now(l), on_again);
}

static void fill_after(struct seat *seat, int64_t pause)
{
	fill_at(seat, loop_now(seat->generation->program->rollout->loop) + pause);
}

static bool out_of_attempts(const struct seat *seat)
{
	int64_t most = seat->generation->means->program->start_attempts;

	return most && seat->failures >= (unsigned)most;
}

static void try_later(struct seat *seat)
{
	struct generation *g = seat->generation;
	const struct program_settings *s = g->means->program;
	char text[CLOCK_DURATION_SIZE];
	int64_t pause;

	if (out_of_attempts(seat)) {
		seat->done = true;
		seat->done_well = false;
		log_error("%s/%u: worker %u is given up after %u attempts (start_attempts)",
			  s->name, g->number, seat->index, seat->failures);
		return;
	}
	pause = backoff_delay(s->restart_delay, s->restart_delay_max, seat->failures,
			      (unsigned)rand());
	log_notice("%s/%u: worker %u is tried again in %s", s->name, g->number, seat->index,
		   clock_duration(pause, text));
	fill_after(seat, pause);
}

/* Not current yet: the whole generation has failed, or, if it was asked to,
 * stays half way. */
static void fail_change(struct generation *g, struct seat *seat)
{
	if (g->state == GENERATION_PARTIAL && seat->proved_once && !out_of_attempts(seat)) {
		try_later(seat);
		return;
	}
	if (g->state == GENERATION_PARTIAL &&
	    g->means->program->on_failure == ON_FAILURE_STOP) {
		generation_close(g, seat->index);
		g->halted = true;
		program_kick(g->program);
		return;
	}
	generation_on(g, GENERATION_EV_FAIL);
}

/* Takes text and lines. */
static void seat_failed(struct seat *seat, char *text, struct text_list *lines)
{
	struct generation *g = seat->generation;

	seat->failures++;
	note_failure(g, text, lines);
	if (g->state == GENERATION_CURRENT) {
		goback_death(g, g->failure, out_of_attempts(seat));
		try_later(seat);
	} else {
		fail_change(g, seat);
	}
	program_kick(g->program);
}

void generation_doubted(struct generation *g, char *why)
{
	struct text_list none = { 0 };

	note_failure(g, why, &none);
	g->halted = g->state == GENERATION_PARTIAL &&
		    g->means->program->on_failure == ON_FAILURE_STOP;
	if (!g->halted)
		generation_on(g, GENERATION_EV_FAIL);
	program_kick(g->program);
}

static void fill(struct seat *seat)
{
	struct generation *g = seat->generation;
	struct text_list none = { 0 };
	struct err err = { 0 };

	seat->member = member_start(g, seat, &err);
	if (!seat->member) {
		g->program->ended = false;
		seat_failed(seat, mem_format("worker %u: %s", seat->index, err.text), &none);
		return;
	}
	list_append(&g->members, &seat->member->node);
	program_news_worker(g->program, seat->member, NULL);
}

static void on_again(struct loop_timer *t)
{
	struct seat *seat = OWNER(t, struct seat, again);

	fill(seat);
	program_kick(seat->generation->program);
}

void seat_revive(struct generation *g, const struct seat_memory *m)
{
	struct seat *s = seat_at(g, m->index);

	s->open = m->open;
	s->done = m->done;
	s->done_well = m->done_well;
	s->proved_once = m->proved_once;
	s->failures = m->failures;
	if (m->again)
		fill_at(s, m->again);
}

void generation_adopt(struct generation *g, const struct member_memory *memory)
{
	struct seat *s = memory->seated ? seat_at(g, memory->index) : NULL;
	struct member *m;

	if (s && (!s->open || (memory->spare ? s->spare : s->member)))
		s = NULL;
	m = member_adopt(g, s, memory);
	if (s && memory->spare)
		s->spare = m;
	else if (s)
		s->member = m;
	list_append(&g->members, &m->node);
}

static void let_member_go(struct member *m)
{
	if (!m)
		return;
	m->seat = NULL;
	worker_on(&m->worker, WORKER_EV_STOP);
}

/* Its seat does not wait for its end. */
static void part(struct seat *seat)
{
	struct member *m = seat->member;

	seat->member = NULL;
	let_member_go(m);
}

/* One of which nobody can know whether it is ready.  With `replace` its successor may not be
 * beside it: start_timeout decides. */
static void start_anew(struct seat *seat)
{
	const struct member *m = seat->member;

	if (!m || !m->unheard || m->worker.state != WORKER_STARTING ||
	    seat->generation->means->program->strategy == STRATEGY_REPLACE)
		return;
	log_notice("%s: whether worker %ld is ready it may have said while nobody was there to "
		   "hear it; another one is started in its place", m->name, (long)m->worker.pid);
	part(seat);
}

void generation_resume(struct generation *g)
{
	if (g->state == GENERATION_FAILED)
		return;			/* a seat that could not be filled stays so */
	for (size_t i = 0; i < g->seat_count; i++) {
		struct seat *s = g->seats[i];

		start_anew(s);
		if (s->open && !s->done && !s->member && !loop_timer_runs(&s->again))
			fill_after(s, 0);
	}
}

void generation_open(struct generation *g, size_t index)
{
	struct seat *seat = seat_at(g, index);

	if (seat->open)
		return;
	seat->open = true;
	seat->done = seat->proved_once = false;
	seat->failures = 0;
	fill(seat);
}

static void let_spare_go(struct seat *seat)
{
	struct member *m = seat->spare;

	seat->spare = NULL;
	let_member_go(m);
}

void generation_close(struct generation *g, size_t index)
{
	if (!generation_seat_open(g, index))
		return;
	g->seats[index]->open = false;
	loop_timer_stop(&g->seats[index]->again);
	let_spare_go(g->seats[index]);
	part(g->seats[index]);
}

void generation_renew(struct generation *g, size_t index)
{
	struct seat *seat = g->seats[index];
	struct err err = { 0 };

	if (g->means->program->strategy == STRATEGY_REPLACE) {
		seat->member->renewed = true;
		worker_on(&seat->member->worker, WORKER_EV_STOP);
		return;
	}
	seat->spare = member_start(g, seat, &err);
	if (!seat->spare) {
		renewal_failed(g->program, seat->member->name, err.text);
		program_kick(g->program);
		return;
	}
	list_append(&g->members, &seat->spare->node);
	program_news_worker(g->program, seat->spare, NULL);
}

bool generation_seat_open(const struct generation *g, size_t index)
{
	return index < g->seat_count && g->seats[index]->open;
}

enum seat_sight generation_sight(const struct generation *g, size_t index)
{
	const struct seat *seat;

	if (!generation_seat_open(g, index))
		return SEAT_CLOSED;
	seat = g->seats[index];
	if (seat->done || (seat->member && seat->member->worker.state == WORKER_SERVING))
		return SEAT_PROVED;
	return SEAT_OPENING;
}

void generation_change_means(struct generation *g, struct means *means)
{
	struct means *was = g->means;

	g->means = means_copy(means, false);
	executable_copy(&was->executable, &g->means->executable);
	list_each(m, &g->members, struct member, node) {
		m->worker.settings = g->means->program;
		if (m->worker.state != WORKER_SERVING)
			continue;
		vital_watch(m);
		renewal_watch(m);
	}
	if (g == g->program->current)
		program_watch(g->program);
	means_unref(was);
}

static void fill_again(struct seat *seat, const struct member *m, const char *what)
{
	struct program *p = seat->generation->program;
	int64_t pause;

	seat->failures = 0;
	if (seat->spare) {
		log_warning("%s: worker %s; a new one is on its way", m->name, what);
		seat->member = seat->spare;
		seat->spare = NULL;
		return;
	}
	pause = storm_pause(&p->storm, loop_now(p->rollout->loop));
	log_warning("%s: worker %s; a new one is started%s", m->name, what,
		    pause ? " (slowed to 10 a second)" : "");
	fill_after(seat, pause);
}

/* An earlier manager was killed before it let it come to its exec(2), or before it had
 * written down how it ended: whether it is any good nobody knows. */
static bool unseen(const struct worker *w)
{
	return w->adopted && !w->proved && !w->reason && !w->end.signal &&
	       (w->end.code == WORKER_END_NO_EXEC || w->end.code == WORKER_END_UNKNOWN);
}

/* One that ends as it should, to be started anew, is no sign of anything. */
static void note_death(struct generation *g, const struct member *m, const char *what)
{
	char *text;

	if (ending_is_well(g->means->program, &m->worker) ||
	    (m->worker.adopted && m->worker.end.code == WORKER_END_UNKNOWN))
		return;
	text = mem_format("worker %u (pid %ld) %s", m->index, (long)m->worker.pid, what);
	goback_death(g, text, false);
	free(text);
}

/* It ended unasked. */
static void seat_lost(struct seat *seat, struct member *m)
{
	struct generation *g = seat->generation;
	struct text_list lines = { 0 };
	char end[WORKER_END_SIZE], what[WORKER_END_SIZE + 16];

	seat->member = NULL;
	m->seat = NULL;
	if (m->renewed) {
		fill_again(seat, m, "was replaced");
		return;
	}
	g->program->restarts++;
	g->program->last_end = m->worker.end;
	g->program->ended = true;
	if (ending_is_final(g, &m->worker)) {
		let_spare_go(seat);
		seat->done = true;
		seat->done_well = ending_is_well(g->means->program, &m->worker);
		if (!seat->done_well) {
			char *text = member_failure(m, &lines);

			note_failure(g, text, &lines);
			goback_death(g, g->failure, true);
		}
	} else if (m->worker.proved) {
		(void)snprintf(what, sizeof(what), "ended with %s",
			       worker_end_text(&m->worker.end, end));
		note_death(g, m, what);
		fill_again(seat, m, what);
	} else if (unseen(&m->worker)) {
		fill_after(seat, 0);
	} else {
		char *text = member_failure(m, &lines);

		seat_failed(seat, text, &lines);
	}
}

/* start_timeout: the seat does not wait for its end. */
static void seat_late(struct seat *seat, struct member *m)
{
	struct text_list lines = { 0 };
	char *text = member_failure(m, &lines);

	seat->member = NULL;
	m->seat = NULL;
	seat_failed(seat, text, &lines);
}

static bool leaves_beside(const struct generation *g, const struct member *m)
{
	list_each(other, &g->program->generations, struct generation, node)
		list_each(o, &other->members, struct member, node)
			if (o != m && o->index == m->index && !o->seat && o->leaving)
				return true;
	return false;
}

/* It says that it stops, and may come to a good end. */
static bool leaves_to_sleep(const struct program_settings *s, const struct member *m)
{
	return s->start == START_ON_DEMAND && !m->worker.reason;
}

/* It served and is on its way out, unasked: hung, or by itself.  Its seat does
 * not wait for its end, unless old and new must not be beside each other, its
 * exit status decides, or another one leaves already: however fast they come
 * and go, there are no more than two for a seat. */
static void seat_left(struct seat *seat, struct member *m)
{
	struct generation *g = seat->generation;
	const struct program_settings *s = g->means->program;
	struct text_list lines = { 0 };

	if (m->renewed)
		return;
	if (m->worker.reason && !m->leaving) {
		char *text = member_failure(m, &lines);

		note_failure(g, text, &lines);
		goback_death(g, g->failure, false);
	}
	m->leaving = true;
	if (s->restart != RESTART_ALWAYS || leaves_to_sleep(s, m) || s->strategy == STRATEGY_REPLACE ||
	    leaves_beside(g, m))
		return;
	seat->member = NULL;
	m->seat = NULL;
	g->program->restarts++;
	fill_again(seat, m, m->worker.reason ? m->worker.reason : "stops by itself");
}

/* It takes the place that it was started for. */
static void take_place(struct seat *seat)
{
	struct member *old = seat->member;

	seat->member = seat->spare;
	seat->spare = NULL;
	let_member_go(old);
}

/* Whom it was to follow serves on. */
static void spare_failed(struct seat *seat, struct member *m)
{
	struct text_list lines = { 0 };
	char *text = member_failure(m, &lines);

	seat->spare = NULL;
	m->seat = NULL;
	renewal_failed(seat->generation->program, seat->member->name, text);
	text_list_fini(&lines);
	free(text);
}

static void proved(struct generation *g, struct member *m)
{
	if (m->seat->spare == m)
		take_place(m->seat);
	g->proved_by = m->proved_by;
	m->seat->failures = 0;
	m->seat->proved_once = true;
	program_proved_by(g->program, m->proved_by);
}

/* A stop that was asked for: the code of `exec` is how the command took it. */
static void note_asked_end(struct program *p, const struct member *m)
{
	p->last_end = m->worker.end;
	p->ended = true;
}

void generation_told(struct generation *g, struct member *m, enum worker_news news)
{
	program_news_worker(g->program, m, m->worker.reason);
	if (m->seat && m->seat->spare == m && m->worker.state > WORKER_SERVING)
		spare_failed(m->seat, m);
	if (news == WORKER_NEWS_GONE) {
		if (m->seat)
			seat_lost(m->seat, m);
		else if (g->program->state == PROGRAM_STOPPING)
			note_asked_end(g->program, m);
		member_free(m);
	} else if (m->seat && m->worker.state == WORKER_SERVING) {
		proved(g, m);
	} else if (m->seat && m->worker.proved) {
		seat_left(m->seat, m);
	} else if (m->seat && m->worker.reason) {
		seat_late(m->seat, m);
	}
	program_kick(g->program);
}
