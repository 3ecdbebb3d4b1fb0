/* start, stop, restart, rollback, scale, reload, shutdown: ask, watch it happen,
 * say how it ended. */
#include "base/owner.h"
#include "cli/options.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "config/quantity.h"

struct change {
	const struct request *request;
	struct progress progress;
	json_t *answer;			/* what is kept of all answers, for --json */
	bool enough;			/* with the first answer */
	bool until_gone;		/* done when there is no supervisor any more */
	json_t *parameters;		/* of the call; borrowed.  NULL: none */
};

static void keep(struct change *c, const json_t *parameters, const char *key)
{
	json_t *value = json_object_get(parameters, key);

	if (value && !json_is_null(value))
		(void)json_object_set(c->answer, key, value);
}

static void say_plan(struct change *c, const json_t *plan)
{
	struct str text = { 0 };

	if (!json_is_array(plan) || option_given(c->request, OPTION_JSON))
		return;
	progress_wipe(&c->progress);
	plan_print(plan, c->request->color, &text);
	(void)output_now(&text);
	str_fini(&text);
}

/* Asked again, it goes on behind this. */
static void note_told(struct change *c, const json_t *event)
{
	if (json_object_get(c->parameters, "request"))
		(void)json_object_set_new(c->parameters, "since",
					  json_integer(json_number(event, "seq")));
}

static bool on_reply(const json_t *parameters, void *ctx)
{
	static const char *const kept[] = { "plan", "faults", "failed", "results", "done" };
	struct change *c = ctx;
	const json_t *event = json_object_get(parameters, "event");

	say_plan(c, json_object_get(parameters, "plan"));
	if (json_is_object(event)) {
		progress_event(&c->progress, event);
		note_told(c, event);
	}
	for (size_t i = 0; i < COUNT(kept); i++)
		keep(c, parameters, kept[i]);
	return !c->enough;
}

static void on_tick(void *ctx)
{
	struct change *c = ctx;

	progress_tick(&c->progress);
}

static int say_faults(const json_t *answer)
{
	const json_t *faults = json_object_get(answer, "faults"), *fault;
	size_t i;

	json_array_foreach((json_t *)faults, i, fault) {
		struct str line = { 0 };

		if (json_is_string(fault))
			str_add_escaped(&line, json_string_value(fault), json_string_length(fault));
		(void)fprintf(stderr, "%s\n", str_text(&line));
		str_fini(&line);
	}
	if (!json_array_size(faults))
		return OUTCOME_DONE;
	return json_is_true(json_object_get(answer, "failed")) ? OUTCOME_FAILED : OUTCOME_USAGE;
}

/* done: what is said when no program has an outcome of its own; NULL: nothing. */
static int say_outcome(const struct change *c, const char *done)
{
	const json_t *results = json_object_get(c->answer, "results");
	int code = say_faults(c->answer);
	struct str text = { 0 };

	if (!code && !outcomes_ok(results))
		code = OUTCOME_FAILED;
	if (option_given(c->request, OPTION_JSON)) {
		(void)output_json(c->answer, JSON_INDENT(2));
		return code;
	}
	outcomes_print(results, c->request->color, &text);
	if (!code && done && !text.length)
		str_addf(&text, "%s\n", done);
	(void)output_now(&text);
	str_fini(&text);
	return code;
}

static int watch(struct change *c, const char *method, json_t *parameters)
{
	struct client_call call = { .method = method, .parameters = parameters, .more = true,
				    .again = true, .on_reply = on_reply, .on_tick = on_tick,
				    .ctx = c };
	struct session s;
	struct err err;
	int code = session_open(&s, c->request);

	if (code) {
		json_decref(parameters);
		session_close(&s);
		return code;
	}
	progress_begin(&c->progress, &s);
	code = session_try(&s, &call, &err);
	progress_end(&c->progress);
	session_close(&s);
	if (code == OUTCOME_NO_SUPERVISOR && c->until_gone) {
		(void)json_object_set_new(c->answer, "done", json_true());
		return 0;
	}
	return code ? complain(code, "%s", err.text) : 0;
}

/* Takes parameters.  done: see say_outcome(). */
static int change(struct change *c, const char *method, json_t *parameters, const char *done)
{
	int code;

	c->answer = json_object();
	c->parameters = parameters;
	code = watch(c, method, parameters);
	if (!code)
		code = say_outcome(c, done);
	json_decref(c->answer);
	return code;
}

/* Takes parameters: for how much of it is waited. */
static json_t *wait_or_not(const struct request *r, json_t *parameters)
{
	(void)json_object_set_new(parameters, "wait",
				  json_boolean(!option_given(r, OPTION_NO_WAIT)));
	(void)json_object_set_new(parameters, "request", request_name());
	if (option_given(r, OPTION_DRAINED))
		(void)json_object_set_new(parameters, "drained", json_true());
	return parameters;
}

static int change_named(const struct request *r, const char *method)
{
	struct change c = { .request = r };
	bool all = option_given(r, OPTION_ALL);

	if (all == (r->name_count > 0))
		return complain(OUTCOME_USAGE, all ? "%s: names or --all, not both"
						   : "%s: name a program, or say --all",
				r->command->name);
	return change(&c, method,
		      wait_or_not(r, all ? json_pack("{s:b}", "all", 1)
					 : json_pack("{s:o}", "names", names_of(r))),
		      all ? "no program is configured" : "asked");
}

int cmd_start(struct request *r)
{
	return change_named(r, "Start");
}

int cmd_stop(struct request *r)
{
	return change_named(r, "Stop");
}

int cmd_restart(struct request *r)
{
	return change_named(r, "Restart");
}

int cmd_rollback(struct request *r)
{
	struct change c = { .request = r };

	return change(&c, "Rollback", wait_or_not(r, json_pack("{s:s}", "name", r->names[0])),
		      "asked");
}

int cmd_scale(struct request *r)
{
	struct change c = { .request = r };
	struct err err;
	int64_t workers;

	if (number_parse(r->names[1], &workers, &err))
		return complain(OUTCOME_USAGE, "scale: %s", err.text);
	if (workers < 0)
		return complain(OUTCOME_USAGE, "scale: \"%s\" is less than nothing", r->names[1]);
	r->names[1] = NULL;
	r->name_count = 1;
	return change(&c, "Scale",
		      wait_or_not(r, json_pack("{s:s, s:I}", "name", r->names[0], "workers",
					       (json_int_t)workers)),
		      "asked");
}

int cmd_reload(struct request *r)
{
	struct change c = { .request = r };
	bool dry_run = option_given(r, OPTION_DRY_RUN);
	const char *done = option_given(r, OPTION_NO_WAIT) ? "asked" : "reloaded";

	return change(&c, "Reload",
		      dry_run ? json_pack("{s:b}", "dry_run", 1) : wait_or_not(r, json_object()),
		      dry_run ? NULL : done);
}

/* Shutdown has no `wait`: who does not wait leaves with the first answer. */
int cmd_shutdown(struct request *r)
{
	bool no_wait = option_given(r, OPTION_NO_WAIT);
	struct change c = { .request = r, .enough = no_wait, .until_gone = true };

	return change(&c, "Shutdown", NULL, no_wait ? "shutting down" : "shut down");
}
