/* Who can have done something to a shared socket: to be named where it is one. */
#include "supervisor/supervisor.h"

#include "rollout/member.h"

static bool has(const struct member *m, const struct held *h)
{
	for (size_t i = 0; i < m->means->held_count; i++)
		if (m->held[i] == h)
			return true;
	return false;
}

/* What a worker left behind when it went may have it too: that is looked for when a
 * generation is gone, not here. */
void supervisor_suspect(const struct held *h, struct str *ret, void *ctx)
{
	const struct supervisor *s = ctx;
	const struct member *found = NULL;
	size_t count = 0;

	list_each(p, &s->rollout.programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (has(m, h)) {
					found = m;
					count++;
				}
	if (count == 1)
		str_addf(ret, "worker %s (pid %ld), the only one that has it,", found->name,
			 (long)found->worker.pid);
	else if (count > 1)
		str_addf(ret, "one of the %zu workers that have it", count);
}
