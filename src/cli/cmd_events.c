/* events, wait, signal: what happened, what should have, and a nudge. */
#include <string.h>

#include "base/signal_name.h"
#include "cli/event_text.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "config/nearest.h"

enum { WAIT_TIMEOUT = 60000 /* ms */ };

struct reading {
	const struct request *request;
	json_t *parameters;		/* since: what was read last, for who asks again */
};

static bool say_event(struct reading *r, const json_t *event)
{
	struct str line = { 0 };
	bool out;

	(void)json_object_set_new(r->parameters, "since", json_integer(json_number(event, "seq")));
	if (option_given(r->request, OPTION_JSON)) {
		str_add_dump(&line, event, JSON_COMPACT);
		str_add(&line, "\n");
	} else {
		event_row(event, &line);
	}
	out = output_now(&line);
	str_fini(&line);
	return out;
}

/* To standard error: what reads the events reads on. */
static void say_missed(const struct reading *r, const json_t *parameters)
{
	long long last = json_number(r->parameters, "since");

	if (!json_is_integer(json_object_get(parameters, "missed")))
		return;
	if (json_number(parameters, "missed") < 0)
		(void)complain(0, "event %lld is of an earlier supervisor; these are of this one",
			       last);
	else
		(void)complain(0, "%lld events after %lld are no longer kept",
			       json_number(parameters, "missed"), last);
}

static bool on_events(const json_t *parameters, void *ctx)
{
	struct reading *r = ctx;
	const json_t *event = json_object_get(parameters, "event");
	size_t i;

	say_missed(r, parameters);
	if (json_is_object(event) && !say_event(r, event))
		return false;
	json_array_foreach(json_object_get(parameters, "events"), i, event)
		if (!say_event(r, event))
			return false;
	return true;
}

int cmd_events(struct request *r)
{
	bool follow = option_given(r, OPTION_FOLLOW);
	struct reading reading = { .request = r,
				   .parameters = json_pack("{s:b}", "follow", (int)follow) };
	struct client_call call = {
		.method = "Events",
		.again = true,
		.parameters = reading.parameters,
		.more = follow,
		.on_reply = on_events,
		.ctx = &reading,
	};

	if (r->since >= 0)
		(void)json_object_set_new(call.parameters, "since", json_integer(r->since));
	return session_ask(r, &call);
}

struct wait {
	struct progress progress;
	struct str reached;
};

static bool on_wait(const json_t *parameters, void *ctx)
{
	struct wait *w = ctx;
	const json_t *event = json_object_get(parameters, "event");

	if (json_is_object(event))
		progress_event(&w->progress, event);
	str_add_json(&w->reached, parameters, "state");
	return true;
}

static void on_wait_tick(void *ctx)
{
	struct wait *w = ctx;

	progress_tick(&w->progress);
}

static int wait_for(const struct request *r, struct session *s)
{
	struct wait w = { .reached = { 0 } };
	struct client_call call = {
		.method = "Wait",
		.again = true,
		.parameters = json_pack("{s:s, s:s}", "name", r->names[0], "state", r->state),
		.more = true,
		.on_reply = on_wait,
		.on_tick = on_wait_tick,
		.ctx = &w,
	};
	struct err err;
	int code;

	progress_begin(&w.progress, s);
	code = session_try(s, &call, &err);
	progress_end(&w.progress);
	if (code)
		(void)complain(code, "%s", err.text);
	else
		(void)printf("%s: %s\n", r->names[0],
			     w.reached.length ? str_text(&w.reached) : r->state);
	str_fini(&w.reached);
	return code;
}

/* Looks once, and says "not yet" as waiting does. */
static int look_once(const struct request *r, struct session *s)
{
	json_t *status;
	struct client_call call = status_call(names_of(r), &status);
	int code = session_call(s, &call);
	const char *state;

	if (code)
		return code;
	state = json_text(json_array_get(json_object_get(status, "programs"), 0), "state");
	if (!state || strcmp(state, r->state) != 0)
		code = complain(OUTCOME_TIMED_OUT, "%s is %s", r->names[0],
				state ? state : "in no state");
	else
		(void)printf("%s: %s\n", r->names[0], state);
	json_decref(status);
	return code;
}

int cmd_wait(struct request *r)
{
	struct session s;
	int code;

	if (!r->state)
		return complain(OUTCOME_USAGE, "wait: for which state?  for example: "
					       "holdport wait %s --state running", r->names[0]);
	if (r->timeout < 0)
		r->timeout = WAIT_TIMEOUT;
	code = session_open(&s, r);
	if (!code)
		code = option_given(r, OPTION_NO_WAIT) ? look_once(r, &s) : wait_for(r, &s);
	session_close(&s);
	return code;
}

static bool on_signal(const json_t *parameters, void *ctx)
{
	*(long long *)ctx = json_number(parameters, "reached");
	return true;
}

static int no_signal(const char *name)
{
	struct text_list names = { 0 };
	char hint[NEAREST_SIZE];

	for (int i = 1; i < 32; i++)
		if (strcmp(signal_name(i), "?") != 0)
			text_list_add(&names, signal_name(i));
	(void)complain(0, "signal: \"%s\" is no signal%s", name, nearest_hint(name, &names, hint));
	text_list_fini(&names);
	return OUTCOME_USAGE;
}

int cmd_signal(struct request *r)
{
	long long reached = 0;
	int number = signal_number(r->names[1]), code;
	const char *name = r->names[1];
	struct client_call call = { .method = "Signal", .on_reply = on_signal, .ctx = &reached };

	if (!number)
		return no_signal(name);
	call.parameters = json_pack("{s:s, s:s}", "name", r->names[0], "signal", name);
	if (r->generation >= 0)
		(void)json_object_set_new(call.parameters, "generation",
					  json_integer(r->generation));
	r->names[1] = NULL;
	r->name_count = 1;
	code = session_ask(r, &call);
	if (code)
		return code;
	if (reached <= 0)
		return complain(OUTCOME_FAILED, "%s has no worker that could get it", r->names[0]);
	(void)printf("%s: %s sent to %lld worker%s\n", r->names[0], name, reached,
		     reached == 1 ? "" : "s");
	return OUTCOME_DONE;
}
