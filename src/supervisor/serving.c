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

static void mark(const struct means *m)
{
	for (size_t i = 0; i < m->held_count; i++)
		m->held[i]->claimed = true;
}

static void mark_served(const struct program *p)
{
	if (!p->asleep && (p->state == PROGRAM_STOPPED || p->state == PROGRAM_FAILED))
		return;
	mark(p->wanted);
	list_each(g, &p->generations, struct generation, node)
		mark(g->means);
}

/* Each state of each program asks for it: sockets and programs are gone through
 * once, not one for the other. */
static void settle(struct supervisor *s, bool unserved_too)
{
	if (s->state >= MANAGER_LEAVING)
		return;
	list_each(h, &s->store.sockets, struct held, node)
		h->claimed = false;
	list_each(p, &s->rollout.programs, struct program, node)
		mark_served(p);
	list_each(h, &s->store.sockets, struct held, node) {
		bool served = held_configured(h)->claimed;

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
