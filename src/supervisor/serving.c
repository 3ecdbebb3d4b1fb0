/* What clients meet while nobody serves a socket: when_down.
 *
 * A socket listens before its first worker is started, so who comes to serve is
 * told at once.  That nobody does is looked at when what a turn of the loop has
 * to say is said, for in the middle of a reload a socket is there before its
 * program; but a program that ended for good says so itself. */
#include <string.h>

#include "base/owner.h"
#include "rollout/generation.h"
#include "supervisor/supervisor.h"

static bool has(const struct means *m, const struct held *h)
{
	for (size_t i = 0; i < m->held_count; i++)
		if (m->held[i] == h)
			return true;
	return false;
}

static bool serves(const struct program *p, const struct held *h)
{
	if (p->state == PROGRAM_STOPPED || p->state == PROGRAM_FAILED)
		return false;
	if (has(p->wanted, h))
		return true;
	list_each(g, &p->generations, struct generation, node)
		if (has(g->means, h))
			return true;
	return false;
}

static bool is_served(const struct supervisor *s, const struct held *h)
{
	list_each(p, &s->rollout.programs, struct program, node)
		if (serves(p, h))
			return true;
	return false;
}

static void settle(struct supervisor *s, bool unserved_too)
{
	if (s->state >= MANAGER_LEAVING)
		return;
	list_each(h, &s->store.sockets, struct held, node) {
		bool served = is_served(s, held_configured(h));

		if (served || unserved_too)
			held_serve(h, served);
	}
}

static void on_settle(struct loop_later *l)
{
	settle(OWNER(l, struct supervisor, settle), true);
}

void supervisor_settle(struct supervisor *s)
{
	loop_later_start(s->loop, &s->settle, on_settle);
}

void supervisor_serve(struct supervisor *s, const char *state)
{
	bool ended = strcmp(state, program_state_word(PROGRAM_STOPPED)) == 0 ||
		     strcmp(state, program_state_word(PROGRAM_FAILED)) == 0;

	settle(s, ended);
	supervisor_settle(s);
}
