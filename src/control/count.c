#include "control/count.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static void add(struct counting *c, struct member *m)
{
	size_t n = c->count++;

	c->items = mem_grow(c->items, n + 1, sizeof(*c->items));
	c->members = mem_grow(c->members, n + 1, sizeof(struct member *));
	c->members[n] = m;
	c->items[n] = (struct counted){ .worker = &m->worker, .held = m->held,
					.held_count = m->means->held_count,
					.ret = &m->drain.count };
}

void counting_add(struct counting *c, const struct program *p)
{
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			add(c, m);
}

static void count_now(struct counting *c, struct control *control)
{
	int64_t began = clock_monotonic_ms();
	struct err err;

	c->rc = count_workers(control->store, c->items, c->count, &err);
	if (c->rc < 0)
		log_debug("connections cannot be counted: %s", err.text);
	control->counting_took = clock_monotonic_ms() - began;
}

void counting_refresh(struct counting *c, struct control *control)
{
	int64_t now = loop_now(control->store->loop);

	for (size_t i = 0; i < c->count; i++)
		if (!count_is_fresh(c->items[i].ret, now, control->counting_took)) {
			count_now(c, control);
			return;
		}
}

void counting_by_socket(struct counting *c, struct control *control)
{
	for (size_t i = 0; i < c->count; i++)
		c->items[i].by_held = mem_new((c->items[i].held_count + 1) * sizeof(int));
	count_now(c, control);
}

static const int *count_of(const struct counted *item, const struct held *h)
{
	for (size_t i = 0; i < item->held_count; i++)
		if (item->held[i] == h || item->held[i] == h->permit)
			return &item->by_held[i];
	return NULL;
}

json_t *counting_json(const struct counting *c, const struct held *h)
{
	json_t *all;

	if (c->rc < 0)
		return json_null();
	all = json_array();
	for (size_t i = 0; i < c->count; i++) {
		const int *connections = count_of(&c->items[i], h);

		if (!connections)
			continue;
		(void)json_array_append_new(
			all, json_pack("{s:s, s:i, s:o}", "worker", c->members[i]->name,
				       "pid", (int)c->members[i]->worker.pid, "connections",
				       *connections < 0 ? json_null() : json_integer(*connections)));
	}
	return all;
}

void counting_fini(struct counting *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->items[i].by_held);
	free(c->items);
	free(c->members);
	*c = (struct counting){ 0 };
}
