#include "rollout/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/owner.h"
#include "socket/group.h"

/* A handshake that began before may end after this; a worker that does not accept
 * is not waited for longer than the other. */
enum { QUIET_LEAST_MS = 100, QUIET_MOST_MS = 2000, QUIET_LOOK_MS = 10 };

void slots_of(const struct means *m, unsigned index, struct held **ret)
{
	for (size_t i = 0; i < m->held_count; i++) {
		bool alone = !m->held[i]->group;

		if (!alone)
			group_grow(m->held[i], index + 1);
		ret[i] = group_slot(m->held[i], alone ? 0 : index);
	}
}

/* Of the generation that is to begin, or of the last one that did. */
static size_t slots_to_come(const struct program *p)
{
	return (size_t)(p->scale >= 0 ? p->scale : p->wanted->program->workers);
}

void slots_open(struct program *p)
{
	for (size_t i = 0; i < p->wanted->held_count; i++)
		group_grow(p->wanted->held[i], slots_to_come(p));
}

/* One that is proved by a connection must get connections before. */
static bool serves(const struct member *m)
{
	return m->worker.state == WORKER_SERVING ||
	       (m->worker.state == WORKER_STARTING &&
		proof_connects(&m->generation->means->program->ready));
}

/* How many slots are needed for those that live, or are wanted. */
static size_t slots_needed(const struct program *p, size_t wanted)
{
	size_t to_come = slots_to_come(p), needed = to_come > wanted ? to_come : wanted;

	list_each(g, &p->generations, struct generation, node) {
		list_each(m, &g->members, struct member, node)
			needed = m->index >= needed ? m->index + 1 : needed;
		for (size_t i = needed; i < g->seat_count; i++)
			needed = g->seats[i]->open ? i + 1 : needed;
	}
	return needed;
}

static bool any(const bool *served, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (served[i])
			return true;
	return false;
}

/* Who serves; else who will.  Those who are about to go are not asked. */
static void choose(const struct program *p, const struct held *leader, size_t wanted,
		   bool *served, size_t count)
{
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			if (m->index < count && means_has(m->means, leader) && serves(m))
				served[m->index] = true;
	if (p->up && p->quiet_since && p->quiet_wanted < count)
		memset(served + p->quiet_wanted, 0,
		       (count - p->quiet_wanted) * sizeof(*served));
	if (any(served, count))
		return;
	for (size_t i = 0; i < count; i++)
		served[i] = i < wanted || !p->up;
}

static void settle(struct program *p, struct held *leader)
{
	size_t wanted = program_wanted_workers(p), size = group_size(leader);
	size_t needed = slots_needed(p, wanted);
	bool *served;

	if (!leader->group)
		return;
	size = needed > size ? needed : size;
	served = mem_new((size + 1) * sizeof(*served));
	choose(p, leader, wanted < size ? wanted : size, served, size);
	group_serve(leader, served, size);
	free(served);
	if (p->up)
		group_trim(leader, needed);
}

static void each_leader(struct program *p, void (*act)(struct program *p, struct held *leader))
{
	for (size_t i = 0; i < p->wanted->held_count; i++)
		act(p, p->wanted->held[i]);
	list_each(g, &p->generations, struct generation, node)
		for (size_t i = 0; i < g->means->held_count; i++)
			if (!means_has(p->wanted, g->means->held[i]))
				act(p, g->means->held[i]);
}

void slots_settle(struct program *p)
{
	each_leader(p, settle);
}

static int waiting(const struct program *p, size_t wanted)
{
	int all = 0;

	for (size_t i = 0; i < p->wanted->held_count; i++)
		all += group_waiting(p->wanted->held[i], wanted);
	return all;
}

/* Whether somebody sits beyond what is wanted, with a socket of his own. */
static bool has_more(const struct program *p, size_t wanted)
{
	bool grouped = false;

	for (size_t i = 0; i < p->wanted->held_count; i++)
		grouped = grouped || p->wanted->held[i]->group;
	list_each(g, &p->generations, struct generation, node)
		for (size_t i = wanted; grouped && i < g->seat_count; i++)
			if (g->seats[i]->open)
				return true;
	return false;
}

static void on_look(struct loop_timer *t)
{
	program_step(OWNER(t, struct program, quiet));
}

bool slots_quiet(struct program *p, bool closing)
{
	int64_t now = loop_now(p->rollout->loop), since;
	size_t wanted = program_wanted_workers(p);

	if (!closing || !has_more(p, wanted)) {
		loop_timer_stop(&p->quiet);
		p->quiet_since = 0;
		return true;
	}
	if (!p->quiet_since || p->quiet_wanted != wanted) {
		p->quiet_since = now;
		p->quiet_wanted = wanted;
		slots_settle(p);
	}
	since = now - p->quiet_since;
	if (since >= QUIET_MOST_MS || (since >= QUIET_LEAST_MS && !waiting(p, wanted)))
		return true;
	loop_timer_start(p->rollout->loop, &p->quiet, QUIET_LOOK_MS, on_look);
	return false;
}
