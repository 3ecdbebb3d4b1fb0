/* What a generation has left behind when its last worker is gone: a process that has left
 * its worker's process group, and whose parent has ended, is the keeper's child by now, and
 * what is in its environment says whose it was.
 *
 * Those below it that were not seen there come to the keeper when it has ended: so it is looked
 * again until nobody is found.  At the end of all that is waited for, a moment at most. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "supervisor/supervisor.h"

enum { AGAIN_MS = 20, LOOKS_MOST = 100, END_MS = 1000 };

struct remains {
	struct list node;
	char *name, *items[3];		/* "web/3"; of the environment */
	unsigned looks;
};

static void forget(struct remains *r)
{
	list_remove(&r->node);
	for (size_t i = 0; i < COUNT(r->items); i++)
		free(r->items[i]);
	free(r->name);
	free(r);
}

static struct remains *remains_of(const struct supervisor *s, const struct generation *g)
{
	struct remains *r = MEM_NEW(struct remains);
	const char *name = g->program->name;

	r->name = mem_format("%s/%u", name, g->number);
	r->items[0] = mem_format("HOLDPORT_PROGRAM=%s", name);
	r->items[1] = mem_format("HOLDPORT_GENERATION=%u", g->number);
	/* Ours, and not of a supervisor below us. */
	r->items[2] = mem_format("NOTIFY_SOCKET=%s/*", s->notify_dir);
	return r;
}

/* False: nobody was found, or it does not come to an end. */
static bool look(const struct supervisor *s, struct remains *r)
{
	struct err err;
	int killed = platform_kill_children_with(link_face(&s->link),
						 (const char *const *)r->items, COUNT(r->items),
						 &err);

	if (killed < 0)
		log_debug("%s: what it left behind is not looked for: %s", r->name, err.text);
	if (killed > 0)
		log_notice("%s: left %d process%s behind, which %s ended", r->name, killed,
			   killed == 1 ? "" : "es", killed == 1 ? "is" : "are");
	return killed > 0 && ++r->looks < LOOKS_MOST;
}

static bool look_at_all(struct supervisor *s)
{
	list_each_safe(r, &s->sweep.remains, struct remains, node)
		if (!look(s, r))
			forget(r);
	return !list_empty(&s->sweep.remains);
}

static void on_again(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, sweep.again);

	if (look_at_all(s))
		loop_timer_start(s->loop, t, AGAIN_MS, on_again);
}

static const struct generation *find(const struct supervisor *s, const struct news *n)
{
	list_each(p, &s->rollout.programs, struct program, node)
		if (strcmp(p->name, n->program) == 0)
			list_each(g, &p->generations, struct generation, node)
				if (g->number == n->generation)
					return g;
	return NULL;
}

void supervisor_sweep(struct supervisor *s, const struct news *n)
{
	const struct generation *g = find(s, n);

	if (!g || g->means->program->kill_mode == KILL_PROCESS)
		return;
	if (!s->sweep.remains.next)
		list_init(&s->sweep.remains);
	list_append(&s->sweep.remains, &remains_of(s, g)->node);
	on_again(&s->sweep.again);
}

void supervisor_sweep_stop(struct supervisor *s)
{
	int64_t until = clock_monotonic_ms() + END_MS;

	loop_timer_stop(&s->sweep.again);
	if (!s->sweep.remains.next)
		return;
	while (look_at_all(s) && clock_monotonic_ms() < until)
		(void)poll(NULL, 0, AGAIN_MS);
	list_each_safe(r, &s->sweep.remains, struct remains, node)
		forget(r);
}
