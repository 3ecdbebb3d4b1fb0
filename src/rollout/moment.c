/* What changes with every line and every sign of life of a worker. */
#include <string.h>

#include "rollout/record.h"

static void add_moment(const struct member *m, struct str *out)
{
	fact_begin(out, "moment");
	fact_text(out, "worker", m->name);
	fact_text(out, "out", capture_half(&m->out));
	fact_text(out, "err", capture_half(&m->err));
	if (m->watchdog.loop)
		fact_number(out, "heard", m->watchdog.heard);
	fact_end(out);
}

void moments_record(const struct rollout *r, struct str *out)
{
	list_each(p, &r->programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (capture_half(&m->out) || capture_half(&m->err) ||
				    m->watchdog.loop)
					add_moment(m, out);
}

static struct member *member_by(const struct rollout *r, const char *name)
{
	list_each(p, &r->programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (strcmp(m->name, name) == 0)
					return m;
	return NULL;
}

void moment_revive(const struct rollout *r, const struct fact *f, bool at_once)
{
	const char *name = fact_get(f, "worker");
	struct member *m = name ? member_by(r, name) : NULL;

	if (!m)
		return;
	capture_go_on(&m->out, fact_get(f, "out"));
	capture_go_on(&m->err, fact_get(f, "err"));
	if (at_once && fact_get(f, "heard"))
		watchdog_heard_at(&m->watchdog, fact_int(f, "heard", 0));
}
