#include "health/trial.h"
#include "rollout/program.h"

/* No process of ours is under way for it. */
static bool is_settled(const struct member *m)
{
	return !(m->worker.held & WORKER_HOLDS_REPORT) && !m->intercept.catch;
}

static bool program_is_still(const struct program *p)
{
	if (p->later.loop || p->recording.loop)
		return false;
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			if (!is_settled(m))
				return false;
	return true;
}

bool rollout_is_still(const struct rollout *r)
{
	if (r->trials.next)
		list_each(t, &r->trials, struct trial, node)
			if (t->process.pid)
				return false;
	list_each(p, &r->programs, struct program, node)
		if (!program_is_still(p))
			return false;
	return true;
}
