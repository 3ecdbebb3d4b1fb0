/* Requests that change something: they ask one or more programs, pass on what
 * happens on the way, and answer when every program has said how it ended. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/owner.h"
#include "control/control.h"
#include "control/json_text.h"

struct change;

struct change_ask {
	struct list node;
	struct ask ask;
	struct change *change;
	char *name;
	/* It is done, and waits for those before it to be gone: */
	char *text;
	unsigned most;			/* of the generations that it waits for */
};

struct change {
	struct call *call;
	struct event_listener listener;
	struct list asks;
	size_t pending;			/* asks not answered, and one while asking */
	json_t *results;
	bool wait, drained;
};

static void change_free(struct change *ch)
{
	events_leave(&ch->listener);
	list_each_safe(a, &ch->asks, struct change_ask, node) {
		ask_forget(&a->ask);
		list_remove(&a->node);
		free(a->text);
		free(a->name);
		free(a);
	}
	json_decref(ch->results);
	free(ch);
}

static void on_forget(struct call *c)
{
	change_free(c->data);
}

static void one_less(struct change *ch)
{
	struct call *call = ch->call;
	json_t *results;

	if (--ch->pending)
		return;
	results = json_incref(ch->results);
	change_free(ch);
	call_reply(call, json_pack("{s:o}", "results", results));
}

static json_t *lines_json(const struct text_list *lines)
{
	json_t *all = json_array();

	for (size_t i = 0; lines && i < lines->count; i++)
		(void)json_array_append_new(all, json_text(lines->items[i]));
	return all;
}

static void add_result(struct change *ch, const char *name, bool ok, const char *text,
		       const struct text_list *lines)
{
	(void)json_array_append_new(
		ch->results, json_pack("{s:s, s:b, s:o, s:o}", "name", name, "ok", ok, "text",
				       json_text(text ? text : "failed"), "lines",
				       lines_json(lines)));
}

static size_t leaving(const struct change_ask *a, int64_t *ret_ms)
{
	struct program *p = program_find(control_of(a->change->call)->rollout, a->name);

	return p ? program_leaving(p, a->most, ret_ms) : 0;
}

/* "; 2 workers are on their way out, 30s at most" */
static void add_leaving(const struct change_ask *a, struct str *out)
{
	char most[CLOCK_DURATION_SIZE];
	int64_t left;
	size_t count = leaving(a, &left);

	if (!count)
		return;
	if (count == 1)
		str_add(out, "; 1 worker is on its way out");
	else
		str_addf(out, "; %zu workers are on their way out", count);
	if (left >= 0)
		str_addf(out, ", %s at most", clock_duration((left + 999) / 1000 * 1000, most));
}

static void one_is_done(struct change_ask *a, const char *text)
{
	add_result(a->change, a->name, true, text, NULL);
	one_less(a->change);
}

/* Whether somebody before it is still there is seen at each event of the program. */
static void see_drained(struct change_ask *a)
{
	struct str text = { 0 };
	int64_t left;

	if (!a->text || leaving(a, &left))
		return;
	str_addf(&text, "%s; nobody is on the way out", a->text);
	free(a->text);
	a->text = NULL;
	one_is_done(a, str_text(&text));
	str_fini(&text);
}

/* Only what is about the programs that were asked; one may be named twice. */
static void on_event(struct event_listener *l, const char *program, const char *json)
{
	struct change *ch = OWNER(l, struct change, listener);
	bool told = false;

	ch->pending++;
	list_each(a, &ch->asks, struct change_ask, node) {
		if (!program || strcmp(a->name, program) != 0)
			continue;
		if (!told)
			call_continue_text(ch->call, "event", json);
		told = true;
		see_drained(a);
	}
	one_less(ch);
}

static void on_well(struct change_ask *a, struct program *p, const char *text)
{
	struct str all = { 0 };
	int64_t left;

	a->most = p->last_number;
	if (a->ask.kind == ASK_UP && p->current)
		str_addf(&all, "generation %u is running", p->current->number);
	else
		str_add(&all, text);
	if (a->change->drained && leaving(a, &left)) {
		a->text = mem_text(str_text(&all));
	} else {
		add_leaving(a, &all);
		one_is_done(a, str_text(&all));
	}
	str_fini(&all);
}

static void on_done(struct ask *ask, bool ok, const char *text, const struct text_list *lines)
{
	struct change_ask *a = OWNER(ask, struct change_ask, ask);

	if (ok && ask->program) {
		on_well(a, ask->program, text);
		return;
	}
	add_result(a->change, a->name, ok, text, lines);
	one_less(a->change);
}

static struct change *begin(struct call *c, json_t *parameters)
{
	struct change *ch = MEM_NEW(struct change);

	ch->call = c;
	ch->pending = 1;
	ch->results = json_array();
	ch->wait = !json_is_false(json_object_get(parameters, "wait"));
	ch->drained = json_is_true(json_object_get(parameters, "drained"));
	ch->listener.on = on_event;
	list_init(&ch->asks);
	c->data = ch;
	c->forget = on_forget;
	events_listen(&control_of(c)->events, &ch->listener);
	return ch;
}

/* NULL when nobody waits. */
static struct ask *add_ask(const char *name, void *ctx)
{
	struct change *ch = ctx;
	struct change_ask *a;

	if (!ch->wait)
		return NULL;
	a = MEM_NEW(struct change_ask);
	a->change = ch;
	a->name = mem_text(name);
	a->ask.done = on_done;
	list_append(&ch->asks, &a->node);
	ch->pending++;
	return &a->ask;
}

/* Every name must exist before anything is done.  False: answered. */
static bool check_names(struct call *c, json_t *names)
{
	json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		if (!json_is_string(name)) {
			bad_parameter(c, "names");
			return false;
		}
		if (!named_program(c, json_string_value(name)))
			return false;
	}
	return true;
}

static void ask_each(struct call *c, json_t *parameters,
		     void (*ask)(struct program *p, struct ask *a))
{
	json_t *names = json_object_get(parameters, "names"), *name;
	bool all = json_is_true(json_object_get(parameters, "all"));
	struct change *ch;
	size_t i;

	if (is_leaving(c))
		return;
	if (!all && !json_array_size(names)) {
		call_error(c, "io.holdport.NothingNamed", NULL);
		return;
	}
	if (!all && !check_names(c, names))
		return;
	ch = begin(c, parameters);
	if (all)
		list_each_safe(p, &control_of(c)->rollout->programs, struct program, node) {
			if (!p->removed)
				ask(p, add_ask(p->name, ch));
		}
	else
		json_array_foreach(names, i, name)
			ask(program_find(control_of(c)->rollout, json_string_value(name)),
			    add_ask(json_string_value(name), ch));
	one_less(ch);
}

void change_start(struct call *c, json_t *parameters)
{
	ask_each(c, parameters, program_start);
}

void change_stop(struct call *c, json_t *parameters)
{
	ask_each(c, parameters, program_stop);
}

void change_restart(struct call *c, json_t *parameters)
{
	ask_each(c, parameters, program_restart);
}

void change_rollback(struct call *c, json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "name"));
	struct program *p;
	struct change *ch;

	if (is_leaving(c) || !(p = named_program(c, name)))
		return;
	ch = begin(c, parameters);
	program_rollback(p, add_ask(name, ch));
	one_less(ch);
}

enum { WORKERS_MOST = 1000 };

void change_scale(struct call *c, json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "name"));
	json_t *workers = json_object_get(parameters, "workers");
	json_int_t count = json_integer_value(workers);
	struct program *p;
	struct change *ch;

	if (is_leaving(c) || !(p = named_program(c, name)))
		return;
	if (!json_is_integer(workers) || count < 0 || count > WORKERS_MOST) {
		bad_parameter(c, "workers");
		return;
	}
	ch = begin(c, parameters);
	program_scale(p, count, add_ask(name, ch));
	one_less(ch);
}

static void on_plan(const struct plan *p, void *ctx)
{
	struct change *ch = ctx;
	json_t *steps = json_array();

	for (size_t i = 0; i < p->count; i++) {
		const struct plan_step *s = &p->steps[i];

		(void)json_array_append_new(
			steps, json_pack("{s:s, s:s, s:s, s:o}",
					 "action", plan_action_word(s->action),
					 "what", s->is_socket ? "socket" : "program",
					 "name", s->name, "text", json_text(s->text)));
	}
	call_continue(ch->call, json_pack("{s:o}", "plan", steps));
}

static void refuse_reload(struct call *c, const struct faults *faults, bool failed)
{
	json_t *all = json_array();

	for (size_t i = 0; i < faults->count; i++) {
		char *line = fault_text(&faults->items[i]);

		(void)json_array_append_new(all, json_text(line));
		free(line);
	}
	call_reply(c, json_pack("{s:o, s:b}", "faults", all, "failed", (int)failed));
}

void change_reload(struct call *c, json_t *parameters)
{
	bool dry_run = json_is_true(json_object_get(parameters, "dry_run"));
	struct control *control = control_of(c);
	struct faults faults = { 0 };
	enum reloaded reloaded;
	struct change *ch;

	if (is_leaving(c))
		return;
	ch = begin(c, parameters);
	reloaded = control->ops->reload(control->ctx, dry_run, &faults, on_plan, add_ask, ch);
	if (reloaded == RELOAD_DONE) {
		one_less(ch);
		return;
	}
	change_free(ch);
	c->forget = NULL;
	refuse_reload(c, &faults, reloaded == RELOAD_FAILED);
	faults_fini(&faults);
}
