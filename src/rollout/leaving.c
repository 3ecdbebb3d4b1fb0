/* Who is on his way out of a program. */
#include "rollout/program.h"

static bool is_leaving(const struct member *m)
{
	return !m->seat && m->worker.state != WORKER_GONE;
}

size_t program_leaving(const struct program *p, unsigned most, int64_t *ret_ms)
{
	size_t count = 0;

	*ret_ms = -1;
	list_each(g, &p->generations, struct generation, node) {
		if (g->number > most)
			continue;
		list_each(m, &g->members, struct member, node) {
			int64_t left = is_leaving(m) ? worker_time_left(&m->worker) : -1;

			count += is_leaving(m);
			*ret_ms = left > *ret_ms ? left : *ret_ms;
		}
	}
	return count;
}
