/* What is, as JSON: the shape of docs/control.md, key by key. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/control.h"
#include "control/count.h"
#include "control/json_text.h"
#include "platform/platform.h"
#include "process/way.h"
#include "socket/group.h"
#include "socket/rebind.h"

static json_t *time_json(time_t when)
{
	char text[CLOCK_RFC3339_SIZE];

	return json_string(clock_rfc3339(when, text));
}

static json_t *supervisor_json(struct control *c)
{
	json_t *abilities = json_object();
	struct control_facts f;

	c->ops->facts(c->ctx, &f);
	for (int a = 0; a < ABILITY_COUNT; a++)
		(void)json_object_set_new(abilities, ability_word((enum ability)a),
					  json_boolean(platform_can((enum ability)a)));
	return json_pack("{s:s, s:o, s:i, s:o, s:o, s:i, s:i, s:i, s:o}",
			 "version", HOLDPORT_VERSION, "keeper_pid",
			 f.keeper ? json_integer(f.keeper) : json_null(),
			 "manager_pid", (int)getpid(), "started", time_json(f.started),
			 "config", json_text(f.config), "reloads", (int)f.reloads,
			 "upgrades", (int)f.upgrades, "recoveries", (int)f.recoveries, "abilities", abilities);
}

static json_t *worker_json(const struct member *m)
{
	int connections = m->drain.count.at ? m->drain.count.connections : -1;

	return json_pack("{s:i, s:i, s:i, s:s, s:o, s:o, s:o, s:o}",
			 "index", (int)m->index, "slot", (int)m->slot, "pid", (int)m->worker.pid,
			 "state", worker_state_word(m->worker.state),
			 "started", time_json(m->worker.started), "connections",
			 connections < 0 ? json_null() : json_integer(connections), "status", json_text(m->status),
			 "health", json_text(vitals_word(&m->vitals)));
}

static json_t *generation_json(const struct generation *g)
{
	json_t *workers = json_array();
	unsigned most = 0;

	list_each(m, &g->members, struct member, node)
		most = m->index > most ? m->index : most;
	for (unsigned i = 0; i <= most; i++)
		list_each(m, &g->members, struct member, node)
			if (m->index == i)
				(void)json_array_append_new(workers, worker_json(m));
	return json_pack("{s:i, s:s, s:o, s:o}", "number", (int)g->number,
			 "state", generation_state_word(g->state),
			 "proved_by", json_text(g->proved_by), "workers", workers);
}

/* How its bind(2) comes to us; null: it does not. */
static json_t *intercept_json(const struct program *p)
{
	bool intercepts = p->wanted->program->handoff & HANDOFF_INTERCEPT;

	return json_text(intercepts ? way_word(way_of_system(NULL)) : NULL);
}

static json_t *program_json(const struct program *p)
{
	json_t *generations = json_array();
	const char *error = p->waits_for ? p->waits_for : p->last_error;

	list_each(g, &p->generations, struct generation, node)
		(void)json_array_append_new(generations, generation_json(g));
	return json_pack("{s:s, s:s, s:b, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o}",
			 "name", p->name, "state", program_state_word(p->state),
			 "asleep", (int)p->asleep,
			 "generation", p->current ? (int)p->current->number : 0,
			 "workers", (int)program_wanted_workers(p),
			 "ready", (int)program_ready_workers(p), "restarts", (int)p->restarts,
			 "last_error", json_text(error), "intercept", intercept_json(p),
			 "health", json_text(vitals_word(&p->vitals)), "generations", generations);
}

/* Of ms that may be none; rounded away from the truth's other side. */
static json_t *seconds_json(int64_t ms, int64_t round)
{
	return ms < 0 ? json_null() : json_integer((ms + round) / 1000);
}

json_t *socket_json(const struct held *h)
{
	char address[ADDRESS_TEXT_SIZE];
	int queue = 0, backlog = 0;
	bool counted = h->state == HELD_LISTENING &&
		       platform_queue(h->fd, &queue, &backlog) == 0;
	bool bound = h->fd >= 0;

	return json_pack("{s:s, s:i, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "name", h->settings->name, "index", (int)h->index,
			 "listen", json_text(address_text(&h->key.address, address)),
			 "type", key_type_word(&h->key),
			 "state", held_state_word(h->state),
			 "origin", json_text(bound ? origin_word(h->origin) : NULL),
			 "inode", bound ? json_integer((json_int_t)h->inode) : json_null(),
			 "queue", counted ? json_integer(queue) : json_null(),
			 "backlog", counted ? json_integer(backlog) : json_null(),
			 "reason", json_text(h->reason ? h->reason : rebind_reason(h)),
			 "free_after_s", seconds_json(gate_after(&h->gate), 0),
			 "free_before_s", seconds_json(gate_before(&h->gate), 999));
}

/* No names: everything.  Marks a name that was found, each time it is given. */
static bool wanted(json_t *names, const char *name, bool *found)
{
	bool any = false;
	json_t *one;
	size_t i;

	if (!json_array_size(names))
		return true;
	json_array_foreach(names, i, one) {
		if (strcmp(json_string_value(one) ? json_string_value(one) : "", name) != 0)
			continue;
		found[i] = any = true;
	}
	return any;
}

static json_t *programs_json(struct control *c, json_t *names, bool *found)
{
	struct counting counting = { 0 };
	json_t *programs = json_array();

	list_each(p, &c->rollout->programs, struct program, node)
		if (wanted(names, p->name, found))
			counting_add(&counting, p);
	counting_refresh(&counting, c);
	counting_fini(&counting);
	list_each(p, &c->rollout->programs, struct program, node)
		if (wanted(names, p->name, found))
			(void)json_array_append_new(programs, program_json(p));
	return programs;
}

static json_t *sockets_json(struct control *c, json_t *names, bool *found)
{
	json_t *sockets = json_array();

	list_each(h, &c->store->sockets, struct held, node)
		if (!held_is_parted(h) && wanted(names, h->settings->name, found))
			for (size_t i = 0; i < group_size(h); i++)
				(void)json_array_append_new(sockets, socket_json(group_slot(h, i)));
	return sockets;
}

enum { NAMES_MOST = 1024 };

json_t *status_json(struct control *c, json_t *names, const char **ret_unknown)
{
	bool found[NAMES_MOST] = { false };
	json_t *status;

	if (json_array_size(names) > NAMES_MOST)
		return NULL;
	status = json_pack("{s:o, s:o, s:o}", "supervisor", supervisor_json(c),
			   "programs", programs_json(c, names, found),
			   "sockets", sockets_json(c, names, found));
	for (size_t i = 0; i < json_array_size(names); i++)
		if (!found[i]) {
			*ret_unknown = json_string_value(json_array_get(names, i));
			json_decref(status);
			return NULL;
		}
	return status;
}
