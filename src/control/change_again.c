/* A change is begun, or is known and asked for again. */
#include <string.h>

#include "control/change.h"

/* Whoever waited has hung up. */
static void on_forget(struct call *c)
{
	struct change *ch = c->data;

	ch->call = NULL;
	if (!ch->name)
		change_free(ch);
}

static void wait_for(struct change *ch, struct call *c)
{
	ch->call = c;
	c->data = ch;
	c->forget = on_forget;
}

static void forget_old(struct control *c)
{
	size_t count = 0;

	list_each(ch, &c->changes, struct change, node)
		count += ch->call ? 0 : 1 + ch->asked;
	list_each_safe(ch, &c->changes, struct change, node) {
		if (count <= CHANGES_KEPT || ch->call)
			continue;
		count -= 1 + ch->asked;
		change_forget(ch);
	}
}

struct change *change_begin(struct call *c, json_t *parameters)
{
	struct control *control = control_of(c);
	const char *name = json_string_value(json_object_get(parameters, "request"));
	struct change *ch;

	forget_old(control);
	ch = change_new(control, name, c->method->name);
	ch->wait = !json_is_false(json_object_get(parameters, "wait"));
	ch->drained = json_is_true(json_object_get(parameters, "drained"));
	wait_for(ch, c);
	return ch;
}

static struct change *find(struct control *c, const char *name)
{
	list_each(ch, &c->changes, struct change, node)
		if (strcmp(ch->name, name) == 0)
			return ch;
	return NULL;
}

/* What happened while nobody told it. */
static void tell_since(struct change *ch, json_t *since)
{
	const struct events *e = &ch->control->events;
	json_int_t after = json_integer_value(since);

	if (!json_is_integer(since) || after < 0)
		return;
	for (uint64_t n = events_first_after(e, (uint64_t)after); n < e->next; n++) {
		json_t *event = json_loads(events_at(e, n), 0, NULL);
		const char *what = json_string_value(json_object_get(event, "what"));

		if (what && strcmp(what, "socket") != 0 &&
		    change_concerns(ch, json_string_value(json_object_get(event, "name"))))
			call_continue_text(ch->call, "event", events_at(e, n));
		json_decref(event);
	}
}

/* The last who asked waits for it. */
static void go_on(struct change *ch, struct call *c, json_t *parameters)
{
	if (!ch->pending || json_is_false(json_object_get(parameters, "wait"))) {
		change_tell(ch, c);
		return;
	}
	if (ch->call)
		call_error(change_leave(ch), "io.holdport.Failed",
			   json_pack("{s:s}", "text", "the same was asked for once more"));
	wait_for(ch, c);
	tell_since(ch, json_object_get(parameters, "since"));
}

bool change_name(struct call *c, json_t *parameters, const char **ret)
{
	json_t *request = json_object_get(parameters, "request");
	const char *name = json_string_value(request);
	size_t length = name ? strlen(name) : 0;

	*ret = name;
	if (!request || json_is_null(request) ||
	    (length && length <= CHANGE_NAME_MOST && length == json_string_length(request)))
		return true;
	bad_parameter(c, "request");
	return false;
}

bool change_is_known(struct call *c, json_t *parameters)
{
	const char *name;
	struct change *ch;

	if (!change_name(c, parameters, &name))
		return true;
	ch = name ? find(control_of(c), name) : NULL;
	if (!ch)
		return false;
	if (strcmp(ch->method, c->method->name) == 0)
		go_on(ch, c, parameters);
	else
		bad_parameter(c, "request");
	return true;
}
