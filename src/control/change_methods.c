/* Requests that change something: they ask one or more programs, pass on what
 * happens on the way, and answer when every program has said how it ended. */
#include <stdlib.h>

#include "control/change.h"
#include "control/json_text.h"

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

	if (change_is_known(c, parameters) || is_leaving(c))
		return;
	if (!all && !json_array_size(names)) {
		call_error(c, "io.holdport.NothingNamed", NULL);
		return;
	}
	if (!all && !check_names(c, names))
		return;
	ch = change_begin(c, parameters);
	if (all)
		list_each_safe(p, &control_of(c)->rollout->programs, struct program, node) {
			if (!p->removed)
				ask(p, change_ask(p->name, ch));
		}
	else
		json_array_foreach(names, i, name)
			ask(program_find(control_of(c)->rollout, json_string_value(name)),
			    change_ask(json_string_value(name), ch));
	change_asked(ch);
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

	if (change_is_known(c, parameters) || is_leaving(c) || !(p = named_program(c, name)))
		return;
	ch = change_begin(c, parameters);
	program_rollback(p, change_ask(name, ch));
	change_asked(ch);
}

enum { WORKERS_MOST = 1000 };

void change_scale(struct call *c, json_t *parameters)
{
	const char *name = json_string_value(json_object_get(parameters, "name"));
	json_t *workers = json_object_get(parameters, "workers");
	json_int_t count = json_integer_value(workers);
	struct program *p;
	struct change *ch;

	if (change_is_known(c, parameters) || is_leaving(c) || !(p = named_program(c, name)))
		return;
	if (!json_is_integer(workers) || count < 0 || count > WORKERS_MOST) {
		bad_parameter(c, "workers");
		return;
	}
	ch = change_begin(c, parameters);
	program_scale(p, count, change_ask(name, ch));
	change_asked(ch);
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

	if (change_is_known(c, parameters) || is_leaving(c))
		return;
	ch = change_begin(c, parameters);
	reloaded = control->ops->reload(control->ctx, dry_run, &faults, on_plan, change_ask, ch);
	if (reloaded == RELOAD_DONE) {
		change_asked(ch);
		return;
	}
	change_free(ch);
	refuse_reload(c, &faults, reloaded == RELOAD_FAILED);
	faults_fini(&faults);
}
