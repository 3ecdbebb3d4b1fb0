/* What is asked of a program and what it says; the way there is in step.c. */
#include "rollout/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "keeper/custody.h"
#include "rollout/asks.h"
#include "rollout/asleep.h"
#include "rollout/memory_look.h"
#include "rollout/order.h"
#include "rollout/vital.h"

static void on_dropped(struct fd_store *s, unsigned number)
{
	struct program *p = OWNER(s, struct program, kept);

	custody_drop(p->rollout->custody, &number);
}

struct program *program_new(struct rollout *r, struct means *wanted)
{
	struct program *p = MEM_NEW(struct program);

	p->rollout = r;
	p->name = mem_text(wanted->program->name);
	p->wanted = means_ref(wanted);
	p->scale = p->scale_before = -1;
	fd_store_init(&p->kept, r->loop);
	p->kept.dropped = on_dropped;
	list_init(&p->generations);
	list_init(&p->asks);
	list_append(&r->programs, &p->node);
	return p;
}

void program_free(struct program *p)
{
	asks_settle(p, ASK_ALL, false, "the program was removed", NULL);
	list_each_safe(g, &p->generations, struct generation, node)
		generation_free(g);
	(void)asleep_end(p);
	loop_timer_stop(&p->retry);
	loop_timer_stop(&p->look);
	loop_timer_stop(&p->quiet);
	loop_timer_stop(&p->renew_again);
	checkup_stop(&p->checkup);
	memory_look_end(p);
	loop_later_stop(&p->later);
	loop_later_stop(&p->recording);
	fd_store_clear(&p->kept);
	order_forget(p);
	list_remove(&p->node);
	means_unref(p->wanted);
	means_unref(p->present);
	means_unref(p->before);
	text_list_fini(&p->last_lines);
	free(p->last_error);
	free(p->waits_for);
	free(p->name);
	free(p);
}

struct program *program_find(const struct rollout *r, const char *name)
{
	list_each(p, &r->programs, struct program, node)
		if (strcmp(p->name, name) == 0 && !p->removed)
			return p;
	return NULL;
}

static void on_later(struct loop_later *l)
{
	program_step(OWNER(l, struct program, later));
}

static void on_record(struct loop_later *l)
{
	struct program *p = OWNER(l, struct program, recording);

	p->rollout->record(p, p->rollout->ctx);
}

void program_write_down(struct program *p)
{
	loop_later_stop(&p->recording);
	if (p->rollout->record)
		p->rollout->record(p, p->rollout->ctx);
}

void program_touch(struct program *p)
{
	if (p->rollout->record)
		loop_later_start(p->rollout->loop, &p->recording, on_record);
}

/* First it is written down what has happened, then what follows from it is done. */
void program_kick(struct program *p)
{
	program_touch(p);
	loop_later_start(p->rollout->loop, &p->later, on_later);
}

void program_on(struct program *p, enum program_event event, const char *text)
{
	enum program_state to = program_arrow(p->state, event);
	struct news n = { .what = "program", .program = p->name, .worker = -1, .text = text };

	if (to == PROGRAM_STATE_COUNT || to == p->state)
		return;
	p->state = to;
	n.state = program_state_word(to);
	program_news(p, &n);
	order_moved(p);
}

void program_watch(struct program *p)
{
	vital_watch_program(p);
	memory_look_begin(p);
}

void program_resume(struct program *p, int64_t retry)
{
	list_each(g, &p->generations, struct generation, node)
		generation_resume(g);
	program_watch(p);
	if (retry)
		program_retry_at(p, retry);
	program_kick(p);
}

void program_start(struct program *p, struct ask *a)
{
	if (p->up && p->current && !p->next) {
		ask_tell(a, true, "is running already", NULL);
		return;
	}
	if (asleep_end(p) || !p->up)
		p->wish++;
	p->up = true;
	p->hasty = false;
	p->behind = NULL;
	p->failures = 0;
	loop_timer_stop(&p->retry);
	asks_settle(p, ASK_DOWN, false, "was started again meanwhile", NULL);
	ask_put(p, a, ASK_UP, p->wish);
	program_on(p, PROGRAM_EV_START, NULL);
	program_kick(p);
}

void program_restart(struct program *p, struct ask *a)
{
	if (!p->up) {
		program_start(p, a);
		return;
	}
	if (p->asleep) {
		ask_tell(a, true, "sleeps; the next one who comes starts it", NULL);
		program_kick(p);
		return;
	}
	p->wish++;
	ask_put(p, a, ASK_UP, p->wish);
	if (!p->current && loop_timer_runs(&p->retry)) {
		loop_timer_stop(&p->retry);
		program_on(p, PROGRAM_EV_RETRY, NULL);
	}
	program_kick(p);
}

static void give_up_change(struct program *p)
{
	if (p->next)
		generation_on(p->next, GENERATION_EV_FAIL);
	p->next = NULL;
}

/* Live keys may have changed since it became current. */
void program_remember(struct program *p)
{
	if (!p->current)
		return;
	means_unref(p->present);
	p->present = means_memory(p->current->means);
}

int program_go_back(struct program *p, const struct means *to, struct err *err)
{
	struct means *means = means_revive(to, p->rollout->store, err);

	if (!means)
		return -1;
	means_unref(p->wanted);
	p->wanted = means;
	p->scale = p->present->program->workers == means->program->workers ? p->scale : -1;
	p->goes_back = true;
	return 0;
}

void program_rollback(struct program *p, struct ask *a)
{
	struct means *to;
	struct err err;

	program_remember(p);
	to = p->next && p->current ? p->present : p->before;
	if (!to) {
		ask_tell(a, false, "there is no generation before this one", NULL);
		return;
	}
	if (program_go_back(p, to, &err) < 0) {
		(void)err_in(&err, "cannot go back to the generation before");
		ask_tell(a, false, err.text, NULL);
		return;
	}
	give_up_change(p);
	program_restart(p, a);
}

void program_tell(struct program *p, const char *text)
{
	program_news(p, &(struct news){ .what = "program", .program = p->name, .worker = -1,
					.state = program_state_word(p->state), .text = text });
}

void program_stop(struct program *p, struct ask *a)
{
	p->up = false;
	loop_timer_stop(&p->retry);
	asks_settle(p, ASK_UP, false, "was stopped meanwhile", NULL);
	asks_settle(p, ASK_SCALE, false, "was stopped meanwhile", NULL);
	ask_put(p, a, ASK_DOWN, 0);
	/* The state has no arrow for it, but those who serve its sockets want to know. */
	if (asleep_end(p))
		program_tell(p, NULL);
	program_on(p, PROGRAM_EV_STOP, NULL);
	/* Whether they go first is known when all that is asked in this turn is. */
	if (p->current && order_has_followers(p)) {
		give_up_change(p);
	} else {
		program_let_go(p);
		program_forget_failure(p);
	}
	program_kick(p);
}

void program_scale(struct program *p, int64_t workers, struct ask *a)
{
	asks_settle(p, ASK_SCALE, false, "was scaled again meanwhile", NULL);
	p->scale_before = (int64_t)program_wanted_workers(p);
	p->scale = workers;
	program_touch(p);
	if (!p->up || p->asleep) {
		ask_tell(a, true, "is not running; it will have as many workers when it does",
			 NULL);
		return;
	}
	p->scaling = true;
	ask_put(p, a, ASK_SCALE, 0);
	program_kick(p);
}

/* Generations that have the same sockets and differ in live keys only live by
 * the new means at once. */
static void change_live(struct program *p, struct means *means)
{
	list_each(g, &p->generations, struct generation, node)
		if (means_same_sockets(g->means, means) &&
		    program_settings_effect(g->means->program, means->program, NULL) <=
			    EFFECT_LIVE)
			generation_change_means(g, means);
}

/* One that sleeps does so no more. */
static void change_start(struct program *p, struct ask *a)
{
	if (p->wanted->program->start == START_AUTO)
		program_start(p, a);
	else
		program_stop(p, a);
}

void program_change(struct program *p, struct means *means, enum effect effect, struct ask *a)
{
	struct means *was = p->wanted;

	p->removed = false;
	p->goes_back = p->goes_back && effect < EFFECT_RESTART;
	if (was->program->workers != means->program->workers)
		p->scale = -1;
	p->wanted = means_ref(means);
	change_live(p, means);
	means_unref(was);
	if (p->asleep && means->program->start != START_ON_DEMAND) {
		change_start(p, a);
		return;
	}
	if (effect < EFFECT_RESTART || (!p->up && p->state != PROGRAM_FAILED)) {
		ask_tell(a, true, effect < EFFECT_RESTART ? "took the change over as it runs"
							  : "is not running", NULL);
		program_kick(p);
		return;
	}
	give_up_change(p);
	program_restart(p, a);
}

void program_remove(struct program *p, struct ask *a)
{
	p->removed = true;
	program_stop(p, a);
}

/* One that waits for its turn to go has it now. */
static bool begin_to_go(struct program *p)
{
	if (p->up || !p->current)
		return false;
	p->hasty = true;
	program_let_go(p);
	program_kick(p);
	return true;
}

void program_hurry(struct program *p, enum worker_event event)
{
	if (begin_to_go(p) && event != WORKER_EV_KILL)
		return;
	list_each(g, &p->generations, struct generation, node)
		list_each_safe(m, &g->members, struct member, node)
			if (!m->seat)
				worker_on(&m->worker, event);
}

unsigned program_signal(struct program *p, int number, unsigned generation)
{
	unsigned reached = 0;

	list_each(g, &p->generations, struct generation, node) {
		if (generation && g->number != generation)
			continue;
		list_each(m, &g->members, struct member, node)
			reached += worker_signal(&m->worker, number) == 0;
	}
	return reached;
}

size_t program_wanted_workers(const struct program *p)
{
	const struct generation *g = p->next ? p->next : p->current;

	if (p->scale >= 0)
		return (size_t)p->scale;
	return (size_t)(g ? g->means : p->wanted)->program->workers;
}

size_t program_ready_workers(const struct program *p)
{
	size_t ready = 0;

	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			ready += m->worker.state == WORKER_SERVING;
	return ready;
}

static bool slot_taken(const struct program *p, unsigned slot)
{
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			if (m->slot == slot)
				return true;
	return false;
}

unsigned program_free_slot(const struct program *p)
{
	unsigned slot = 0;

	while (slot_taken(p, slot))
		slot++;
	return slot;
}

void program_proved_by(struct program *p, const char *by)
{
	program_touch(p);
	p->speaks_notify = p->speaks_notify || strcmp(by, "notify") == 0 ||
			   strcmp(by, "ack") == 0;
}

void program_note_failure(struct program *p, const struct generation *g)
{
	program_forget_failure(p);
	p->last_error = mem_format("generation %u: %s", g->number, g->failure);
	for (size_t i = 0; i < g->failure_lines.count; i++)
		text_list_add(&p->last_lines, g->failure_lines.items[i]);
	log_error("%s/%u: %s", p->name, g->number, g->failure);
}

void program_forget_failure(struct program *p)
{
	free(p->last_error);
	p->last_error = NULL;
	text_list_fini(&p->last_lines);
}

void program_news(struct program *p, const struct news *n)
{
	program_touch(p);
	if (p->rollout->news)
		p->rollout->news(n, p->rollout->ctx);
}

static struct news news_of_worker(const struct member *m, const char *text)
{
	return (struct news){
		.what = "worker", .state = worker_state_word(m->worker.state),
		.program = m->generation->program->name, .generation = m->generation->number,
		.worker = (int)m->index, .pid = m->worker.pid, .text = text,
	};
}

void program_news_worker(struct program *p, const struct member *m, const char *text)
{
	struct news n = news_of_worker(m, text);
	char end[WORKER_END_SIZE];

	if (m->worker.state == WORKER_GONE && !text)
		n.text = worker_end_text(&m->worker.end, end);
	program_news(p, &n);
}

void program_news_drain(struct program *p, const struct member *m)
{
	char text[DRAIN_TEXT_SIZE];
	struct news n = news_of_worker(m, drain_text(&m->drain, text));

	n.drain = &m->drain;
	program_news(p, &n);
}
