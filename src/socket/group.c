#include "socket/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "platform/platform.h"
#include "socket/rebind.h"

struct group *group_new(struct held *leader)
{
	struct group *g = MEM_NEW(struct group);

	g->slots = mem_grow(NULL, 1, sizeof(struct held *));
	g->slots[g->count++] = leader;
	return g;
}

size_t group_size(const struct held *leader)
{
	return leader->group ? leader->group->count : 1;
}

struct held *group_slot(const struct held *leader, size_t slot)
{
	return leader->group ? leader->group->slots[slot] : (struct held *)leader;
}

/* Evenly where all of them are served, which is the kernel's own way; a closed one,
 * which names every place, where a socket is about to come. */
static size_t find_places(const struct group *g, bool closed, unsigned *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < g->place_count; i++)
		if (g->places[i]->served)
			ret[count++] = (unsigned)i;
	return count == g->place_count && !closed ? 0 : count;
}

static void choose(struct group *g, bool closed, bool anew)
{
	const struct held *leader = g->slots[0];
	unsigned *places = mem_new((g->place_count + 1) * sizeof(*places));
	size_t count = find_places(g, closed, places);

	if (g->place_count && (count || g->steered || anew)) {
		int rc = platform_choose(g->places[0]->fd, leader->key.type == SOCK_DGRAM, places,
					count);

		g->steered = rc == 0 && count;
		if (rc < 0 && !g->failed)
			log_warning("socket %s: slots without a worker get connections too: %s",
				    leader->settings->name, strerror(errno));
		g->failed = g->failed || rc < 0;
	}
	free(places);
}

static void steer(struct group *g, bool closed)
{
	choose(g, closed, false);
}

void group_assert(const struct held *any)
{
	if (any->group)
		choose(any->group, false, true);
}

void group_joined(struct held *h)
{
	struct group *g = h->group;

	if (!g)
		return;
	g->places = mem_grow(g->places, g->place_count + 1, sizeof(struct held *));
	g->places[g->place_count++] = h;
	steer(g, false);
}

/* As the kernel does (reuseport_detach_sock): the last one takes its place. */
void group_left(struct held *h)
{
	struct group *g = h->group;
	size_t i = 0;

	while (g && i < g->place_count && g->places[i] != h)
		i++;
	if (!g || i == g->place_count)
		return;
	g->places[i] = g->places[--g->place_count];
	steer(g, false);
}

void group_grow(struct held *leader, size_t count)
{
	struct group *g = leader->group;
	struct key key = leader->key;

	if (!g || g->count >= count)
		return;
	steer(g, true);
	while (g->count < count) {
		g->slots = mem_grow(g->slots, g->count + 1, sizeof(struct held *));
		key.slot = (int)g->count;
		g->slots[g->count] = held_new(leader->store, &key, leader->settings,
					      leader->index, g);
		held_open(g->slots[g->count++]);
	}
}

/* Between leaving its group and leaving the table a listener that is closed can still
 * be found by a SYN on another processor, which is answered by a reset then (measured
 * on 6.18: one in some ten closings under load).  What is deaf is not found. */
static void close_slot(struct group *g)
{
	struct held *h = g->slots[--g->count];
	int queue, backlog;

	if (h->key.type == SOCK_STREAM)
		(void)platform_deafen(h->fd, rebind_number(h), NULL);
	if (platform_queue(h->fd, &queue, &backlog) == 0 && queue > 0)
		log_warning("socket %s: slot %zu goes with %d clients that nobody accepted",
			    h->settings->name, g->count, queue);
	held_close(h);
}

void group_trim(struct held *leader, size_t count)
{
	struct group *g = leader->group;

	while (g && g->count > (count ? count : 1))
		close_slot(g);
}

void group_free(struct group *g)
{
	while (g->count > 1)
		held_close(g->slots[--g->count]);
	free(g->slots);
	free(g->places);
	free(g);
}

int group_waiting(const struct held *leader, size_t from)
{
	int all = 0, queue, backlog;

	for (size_t i = from; i < group_size(leader); i++)
		if (platform_queue(group_slot(leader, i)->fd, &queue, &backlog) == 0)
			all += queue;
	return all;
}

void group_serve(struct held *leader, const bool *served, size_t count)
{
	struct group *g = leader->group;
	bool news = false;

	for (size_t i = 0; g && i < g->count; i++) {
		bool now = i < count && served[i];

		news = news || g->slots[i]->served != now;
		g->slots[i]->served = now;
	}
	if (news)
		steer(g, false);
}
