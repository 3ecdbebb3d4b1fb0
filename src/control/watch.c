/* Requests that wait for something to happen: an event, a state, the end. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/owner.h"
#include "control/control.h"
#include "control/json_text.h"

/* Events and Wait listen; what they keep is the same. */
struct watch {
	struct call *call;
	struct event_listener listener;
	char *name;
	enum program_state state;
	struct control *control;
};

static void watch_free(struct watch *w)
{
	events_leave(&w->listener);
	free(w->name);
	free(w);
}

static void on_forget(struct call *c)
{
	watch_free(c->data);
}

static struct watch *watch_begin(struct call *c,
				 void (*on)(struct event_listener *l, const char *program,
					    const char *json))
{
	struct watch *w = MEM_NEW(struct watch);

	w->call = c;
	w->control = control_of(c);
	w->listener.on = on;
	c->data = w;
	c->forget = on_forget;
	events_listen(&w->control->events, &w->listener);
	return w;
}

static void on_event(struct event_listener *l, const char *program, const char *json)
{
	(void)program;
	call_continue_text(OWNER(l, struct watch, listener)->call, "event", json);
}

static json_t *kept_events(const struct events *e, uint64_t from)
{
	json_t *all = json_array();

	for (; from < e->next; from++)
		(void)json_array_append_new(all, json_loads(events_at(e, from), 0, NULL));
	return all;
}

/* How many events after `since` are lost; null: none.  A number that was never given
 * out is of an earlier supervisor: what came after it there is lost as well, -1. */
static json_t *missed(const struct events *e, json_t *since, uint64_t from)
{
	json_int_t after = json_integer_value(since);

	if (!json_is_integer(since) || after < 0)
		return NULL;
	if ((uint64_t)after >= e->next)
		return json_integer(-1);
	return from - (uint64_t)after > 1 ? json_integer((json_int_t)from - after - 1) : NULL;
}

void watch_events(struct call *c, json_t *parameters)
{
	json_t *since = json_object_get(parameters, "since"), *lost;
	json_int_t after = json_integer_value(since);
	struct events *e = &control_of(c)->events;
	uint64_t from;

	/* Numbers begin anew with each supervisor: so does who asks for one not yet given. */
	after = after < 0 || (uint64_t)after >= e->next ? 0 : after;
	from = events_first_after(e, (uint64_t)after);
	lost = missed(e, since, from);
	if (!c->more) {
		call_reply(c, json_pack("{s:o, s:o*}", "events", kept_events(e, from), "missed",
					lost));
		return;
	}
	if (lost)
		call_continue(c, json_pack("{s:o}", "missed", lost));
	for (; from < e->next; from++)
		call_continue_text(c, "event", events_at(e, from));
	if (json_is_true(json_object_get(parameters, "follow")))
		(void)watch_begin(c, on_event);
	else
		call_reply(c, NULL);
}

/* True: answered.  A program that ended where it was not asked to will not
 * reach the state by waiting. */
static bool wait_over(struct call *c, const struct program *p, enum program_state wanted)
{
	const char *word = program_state_word(p->state);

	if (p->state == wanted) {
		call_reply(c, json_pack("{s:s}", "state", word));
		return true;
	}
	if (p->state != PROGRAM_FAILED && p->state != PROGRAM_STOPPED)
		return false;
	call_error(c, "io.holdport.NotReached",
		   json_pack("{s:s, s:s, s:o}", "name", p->name, "state", word, "text",
			     json_text(p->last_error)));
	return true;
}

static void on_wait_event(struct event_listener *l, const char *program, const char *json)
{
	struct watch *w = OWNER(l, struct watch, listener);
	struct call *c = w->call;
	struct program *p;

	if (!program || strcmp(program, w->name) != 0)
		return;
	call_continue_text(c, "event", json);
	p = program_find(w->control->rollout, w->name);
	c->forget = NULL;
	if (!p)
		no_such_program(c, w->name);
	else if (!wait_over(c, p, w->state)) {
		c->forget = on_forget;
		return;
	}
	watch_free(w);
}

void watch_state(struct call *c, json_t *parameters)
{
	const char *word = json_string_value(json_object_get(parameters, "state"));
	struct program *p = named_program(c, json_string_value(json_object_get(parameters, "name")));
	enum program_state wanted = program_state_from_word(word ? word : "");
	struct watch *w;

	if (!p)
		return;
	if (wanted == PROGRAM_STATE_COUNT) {
		call_error(c, "io.holdport.NoSuchState",
			   json_pack("{s:s}", "state", word ? word : ""));
		return;
	}
	if (wait_over(c, p, wanted))
		return;
	w = watch_begin(c, on_wait_event);
	w->name = mem_text(p->name);
	w->state = wanted;
}

struct ending {
	struct list node;
	struct watch *watch;
};

static void forget_ending(struct call *c)
{
	struct ending *e = c->data;

	list_remove(&e->node);
	watch_free(e->watch);
	free(e);
}

void watch_end(struct call *c, json_t *parameters)
{
	struct control *control = control_of(c);
	struct ending *e = MEM_NEW(struct ending);

	(void)parameters;
	e->watch = watch_begin(c, on_event);
	c->data = e;
	c->forget = forget_ending;
	list_append(&control->ending, &e->node);
	control->ops->shut_down(control->ctx);
}

void control_ended(struct control *c)
{
	if (!c->ending.next)
		return;
	list_each_safe(e, &c->ending, struct ending, node) {
		struct call *call = e->watch->call;

		forget_ending(call);
		call_reply(call, json_pack("{s:b}", "done", 1));
	}
}
