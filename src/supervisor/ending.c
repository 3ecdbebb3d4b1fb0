/* The end: everybody is asked, hurried, waited for. */
#include "base/clock.h"
#include "base/log.h"
#include "base/owner.h"
#include "supervisor/supervisor.h"

enum { NAMED_MOST = 5 };	/* in a line for who is above us */

void supervisor_hurry(struct supervisor *s, enum worker_event event)
{
	list_each(p, &s->rollout.programs, struct program, node)
		program_hurry(p, event);
}

static void on_patience_over(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, patience);

	log_warning("shutdown_timeout is over: whatever still runs is ended");
	supervisor_hurry(s, WORKER_EV_KILL);
}

/* The one program of `exec` decides how we end. */
static int code_of_program(const struct supervisor *s)
{
	list_each(p, &s->rollout.programs, struct program, node) {
		if (!p->ended)
			return EXIT_FAILED;
		return p->last_end.signal ? 128 + p->last_end.signal : p->last_end.code;
	}
	return EXIT_FAILED;
}

static bool all_stopped(const struct supervisor *s)
{
	list_each(p, &s->rollout.programs, struct program, node)
		if (!list_empty(&p->generations))
			return false;
	return true;
}

static bool is_over_by_itself(const struct supervisor *s)
{
	list_each(p, &s->rollout.programs, struct program, node)
		if (p->up || !list_empty(&p->generations))
			return false;
	return s->one_command;
}

static void add_programs(const struct supervisor *s, struct str *out)
{
	size_t all = 0, run = 0, named = 0;

	list_each(p, &s->rollout.programs, struct program, node) {
		all++;
		run += p->state == PROGRAM_RUNNING;
	}
	str_addf(out, "%zu of %zu programs run", run, all);
	list_each(p, &s->rollout.programs, struct program, node)
		if (p->up && !p->asleep && p->state != PROGRAM_RUNNING && named++ < NAMED_MOST)
			str_addf(out, "; %s: %s", p->name, program_state_word(p->state));
}

static void add_sockets(const struct supervisor *s, struct str *out)
{
	size_t named = 0;

	list_each(h, &s->store.sockets, struct held, node)
		if (h->state == HELD_WAITING && !held_awaits_worker(h) && named++ < NAMED_MOST)
			str_addf(out, "; socket %s waits for its address", h->settings->name);
}

void supervisor_tell_upward(struct supervisor *s)
{
	struct str text = { 0 };

	if (s->state >= MANAGER_LEAVING)
		str_add(&text, "shutting down; ");
	add_programs(s, &text);
	add_sockets(s, &text);
	upward_status(&s->upward, str_text(&text));
	str_fini(&text);
}

/* After the programs have come to rest in this turn. */
static void on_look_around(struct loop_later *l)
{
	struct supervisor *s = OWNER(l, struct supervisor, look_around);

	supervisor_tell_upward(s);
	if (s->state == MANAGER_RUNNING && is_over_by_itself(s)) {
		supervisor_leave(s);
		return;
	}
	if (s->state != MANAGER_LEAVING || !all_stopped(s))
		return;
	s->state = MANAGER_LEFT;
	if (s->one_command)
		s->exit_code = code_of_program(s);
	log_notice("everything has ended; so does the supervisor");
	control_ended(&s->control);
	loop_stop(s->loop);
}

void supervisor_look_around(struct supervisor *s)
{
	loop_later_start(s->loop, &s->look_around, on_look_around);
}

static void begin_again(struct program *p)
{
	if (p->wanted->program->start == START_ON_DEMAND && !p->up)
		program_sleep(p);
	else
		program_start(p, NULL);
}

void supervisor_go_on(struct supervisor *s)
{
	if (s->follows && !s->succeeds)
		log_notice("this manager takes over from one that ended (%u so far)",
			   s->recoveries);
	if (s->was_leaving)
		supervisor_leave(s);
	if (s->begin_again)
		list_each(p, &s->rollout.programs, struct program, node)
			begin_again(p);
}

void supervisor_leave(struct supervisor *s)
{
	int64_t now = loop_now(s->loop);
	int64_t patience = s->was_leaving ? s->leave_by - now
					  : s->settings->supervisor.shutdown_timeout;
	char text[CLOCK_DURATION_SIZE];

	if (s->state >= MANAGER_LEAVING)
		return;
	s->state = MANAGER_LEAVING;
	s->leave_by = now + patience;
	memory_of_whole(s);
	upward_say(&s->upward, "STOPPING=1");
	log_notice("shutting down, within %s", clock_duration(patience, text));
	loop_timer_start(s->loop, &s->patience, patience, on_patience_over);
	list_each(p, &s->rollout.programs, struct program, node)
		program_stop(p, NULL);
	supervisor_look_around(s);
}
