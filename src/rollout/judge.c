/* How the current generation does, for status, for whoever scaled it, and for
 * programs that end for good. */
#include <stdlib.h>

#include "base/mem.h"
#include "rollout/asks.h"
#include "rollout/asleep.h"
#include "rollout/step.h"

static void end_if_done(struct program *p)
{
	size_t open = 0, done = 0, well = 0;

	for (size_t i = 0; i < p->current->seat_count; i++) {
		const struct seat *seat = p->current->seats[i];

		open += seat->open;
		done += seat->open && seat->done;
		well += seat->open && seat->done && seat->done_well;
	}
	if (!open || open != done)
		return;
	if (well == done && p->wanted->program->start == START_ON_DEMAND)
		asleep_again(p);
	else
		step_end_for_good(p, well == done);
}

static bool is_crashing(const struct program *p)
{
	for (size_t i = 0; i < p->current->seat_count; i++) {
		const struct seat *seat = p->current->seats[i];

		if (seat->open && !seat->done && seat->failures)
			return true;
	}
	return false;
}

bool step_gave_up_a_seat(const struct program *p)
{
	for (size_t i = 0; i < p->current->seat_count; i++) {
		const struct seat *seat = p->current->seats[i];

		if (seat->open && seat->done && !seat->done_well)
			return true;
	}
	return false;
}

/* More workers that do not come up: back to as many as there were. */
static void answer_scale(struct program *p, bool complete, bool crashing)
{
	char *text;

	if (!p->scaling)
		return;
	crashing = crashing || step_gave_up_a_seat(p);
	if (crashing && p->scale > p->scale_before) {
		p->scale = p->scale_before;
		p->scaling = false;
		asks_settle(p, ASK_SCALE, false, p->last_error, &p->last_lines);
		program_kick(p);
	} else if (complete || crashing) {
		p->scaling = false;
		text = mem_format("%lld workers are wanted, %zu are ready", (long long)p->scale,
				  program_ready_workers(p));
		asks_settle(p, ASK_SCALE, true, text, NULL);
		free(text);
	}
}

/* How the current generation does, for status and for whoever scaled it. */
void step_judge(struct program *p, bool complete)
{
	bool crashing = is_crashing(p);

	program_on(p, crashing ? PROGRAM_EV_CRASHING : PROGRAM_EV_HEALED,
		   crashing ? p->last_error : NULL);
	answer_scale(p, complete, crashing);
	end_if_done(p);
}
