/* What a generation has left behind when its last worker is gone: a process that has left
 * its worker's process group, and whose parent has ended, is the keeper's child by now, and
 * what is in its environment says whose it was.
 *
 * One look is for all generations that went in a moment, for after a recovery all workers are
 * the keeper's children.  Who is below one that was found may come to the keeper meanwhile: so
 * it is looked again until nobody is found.  At the end of all that is waited for, a moment at
 * most. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "supervisor/supervisor.h"

enum { LOOK_MS = 20, TIMES_AS_LONG = 10, LOOKS_MOST = 100, END_MS = 1000 };

struct remains {
	struct list node;
	char *program, *number;
	unsigned looks;
	bool found;			/* in this look */
};

static void forget(struct remains *r)
{
	list_remove(&r->node);
	free(r->program);
	free(r->number);
	free(r);
}

static struct remains *remains_of(const struct generation *g)
{
	struct remains *r = MEM_NEW(struct remains);

	r->program = mem_text(g->program->name);
	r->number = mem_format("%u", g->number);
	return r;
}

/* The value of a variable; "": it is not there. */
static const char *value(const char *environment, size_t length, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = environment; at < environment + length; at += strlen(at) + 1)
		if (strncmp(at, name, size) == 0)
			return at + size;
	return "";
}

/* Ours, and not of a supervisor below us. */
static bool is_ours(const struct supervisor *s, const char *notify)
{
	size_t length = strlen(s->notify_dir);

	return strncmp(notify, s->notify_dir, length) == 0 && notify[length] == '/';
}

static bool is_left(const char *environment, size_t length, void *ctx)
{
	struct supervisor *s = ctx;
	const char *program = value(environment, length, "HOLDPORT_PROGRAM=");
	const char *number = value(environment, length, "HOLDPORT_GENERATION=");

	if (!is_ours(s, value(environment, length, "NOTIFY_SOCKET=")))
		return false;
	list_each(r, &s->sweep.remains, struct remains, node)
		if (strcmp(r->number, number) == 0 && strcmp(r->program, program) == 0) {
			r->found = true;
			return true;
		}
	return false;
}

static void tell(struct remains *r)
{
	log_notice("%s/%s: what it left behind is ended", r->program, r->number);
	r->looks++;
}

static void forget_those_without(struct supervisor *s)
{
	list_each_safe(r, &s->sweep.remains, struct remains, node) {
		if (r->found)
			tell(r);
		if (!r->found || r->looks >= LOOKS_MOST)
			forget(r);
	}
}

/* Whether there is anybody left to look for. */
static bool look(struct supervisor *s)
{
	struct err err;

	list_each(r, &s->sweep.remains, struct remains, node)
		r->found = false;
	if (platform_kill_children(link_face(&s->link), is_left, s, &err) < 0)
		log_debug("what generations leave behind is not looked for: %s", err.text);
	forget_those_without(s);
	return !list_empty(&s->sweep.remains);
}

static void look_soon(struct supervisor *s);

static void on_look(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, sweep.look);
	int64_t began = clock_monotonic_ms();
	bool again = look(s);

	s->sweep.pause = (clock_monotonic_ms() - began) * TIMES_AS_LONG;
	if (again)
		look_soon(s);
}

static void look_soon(struct supervisor *s)
{
	int64_t pause = s->sweep.pause > LOOK_MS ? s->sweep.pause : LOOK_MS;

	if (!loop_timer_runs(&s->sweep.look))
		loop_timer_start(s->loop, &s->sweep.look, pause, on_look);
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
	list_append(&s->sweep.remains, &remains_of(g)->node);
	look_soon(s);
}

void supervisor_sweep_stop(struct supervisor *s)
{
	int64_t until = clock_monotonic_ms() + END_MS;

	loop_timer_stop(&s->sweep.look);
	if (!s->sweep.remains.next)
		return;
	while (!list_empty(&s->sweep.remains) && look(s) && clock_monotonic_ms() < until)
		(void)poll(NULL, 0, LOOK_MS);
	list_each_safe(r, &s->sweep.remains, struct remains, node)
		forget(r);
}
