#include "rollout/ending.h"

#include "rollout/program.h"

static bool is_success(const struct program_settings *s, const struct process_end *end)
{
	for (size_t i = 0; !end->signal && i < s->success_exit_code_count; i++)
		if (s->success_exit_codes[i] == end->code)
			return true;
	return false;
}

bool ending_is_well(const struct program_settings *s, const struct worker *w)
{
	return !w->reason && is_success(s, &w->end);
}

/* start = on-demand: its work is done, unless it was to take the place of one that serves and
 * never was proved. */
static bool may_sleep(const struct generation *g, const struct worker *w)
{
	const struct generation *current = g->program->current;

	return g->means->program->start == START_ON_DEMAND &&
	       (w->proved || !current || current == g);
}

bool ending_is_final(const struct generation *g, const struct worker *w)
{
	const struct program_settings *s = g->means->program;

	if (s->restart == RESTART_NEVER)
		return w->proved || ending_is_well(s, w);
	return (s->restart == RESTART_ON_FAILURE || may_sleep(g, w)) && ending_is_well(s, w);
}
