#include "control/events.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "control/json_text.h"

void events_init(struct events *e)
{
	*e = (struct events){ .next = 1 };
	list_init(&e->listeners);
}

void events_fini(struct events *e)
{
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		free(e->kept[i]);
	while (!list_empty(&e->listeners))
		list_remove(e->listeners.next);
}

static json_t *number_or_null(json_int_t number, bool applies)
{
	return applies ? json_integer(number) : json_null();
}

void events_add(struct events *e, const struct news *n, const char *name)
{
	char now[CLOCK_RFC3339_SIZE];
	char **place = &e->kept[e->next % EVENTS_KEPT];
	int64_t left = n->drain ? worker_time_left(n->drain->worker) : -1;
	json_t *j = json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
			      "seq", (json_int_t)e->next,
			      "time", clock_rfc3339(time(NULL), now),
			      "what", n->what, "name", name, "state", n->state,
			      "generation", number_or_null(n->generation, n->generation),
			      "worker", number_or_null(n->worker, n->worker >= 0),
			      "pid", number_or_null(n->pid, n->pid),
			      "text", json_text(n->text),
			      "connections", n->drain ? json_integer(n->drain->count.connections)
						      : json_null(),
			      "ends_before_s", number_or_null((left + 999) / 1000, left >= 0));

	free(*place);
	*place = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	e->next++;
	list_each_safe(l, &e->listeners, struct event_listener, node)
		l->on(l, n->program, *place);
}

void events_put(struct events *e, uint64_t number, char *json)
{
	char **place = &e->kept[number % EVENTS_KEPT];

	free(*place);
	*place = json;
	if (number >= e->next)
		e->next = number + 1;
}

uint64_t events_first_after(const struct events *e, uint64_t since)
{
	uint64_t oldest = e->next > EVENTS_KEPT ? e->next - EVENTS_KEPT : 1;

	if (since >= e->next)
		return e->next;
	return since + 1 > oldest ? since + 1 : oldest;
}

const char *events_at(const struct events *e, uint64_t number)
{
	return e->kept[number % EVENTS_KEPT];
}

void events_listen(struct events *e, struct event_listener *l)
{
	list_append(&e->listeners, &l->node);
}

void events_leave(struct event_listener *l)
{
	if (l->node.next)
		list_remove(&l->node);
}
