#include "rollout/goback.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "rollout/doubt.h"

static struct doubt doubt_of(const struct generation *g)
{
	const struct program *p = g->program;

	return (struct doubt){
		.window = g->means->program->rollback_window,
		.age = loop_now(p->rollout->loop) - g->current_since,
		.judged = g->judged || g->condemned || g != p->current,
		.has_better = p->before && !means_alike(p->before, g->means),
		.deaths = g->deaths,
	};
}

static void tell(const struct generation *g)
{
	struct program *p = g->program;
	char *text = mem_format("generation %u is to be taken back: %s", g->number, g->condemned);

	log_error("%s: %s", p->name, text);
	program_tell(p, text);
	free(text);
}

static void judge(struct generation *g, const struct doubt *d, const char *what)
{
	char age[CLOCK_DURATION_SIZE];

	if (!doubt_condemns(d))
		return;
	g->condemned = mem_format("%s, %s after it became current (rollback_window)", what,
				  clock_duration(d->age, age));
	tell(g);
	program_kick(g->program);
}

void goback_sick(struct generation *g, const char *what)
{
	struct doubt d = doubt_of(g);

	d.sick = true;
	judge(g, &d, what);
}

void goback_death(struct generation *g, const char *what, bool given_up)
{
	struct doubt d;

	g->deaths++;
	d = doubt_of(g);
	d.given_up = given_up;
	judge(g, &d, what);
}

void goback_step(struct program *p)
{
	struct generation *g = p->current;
	struct err err;

	if (!p->up || !g || p->next || !g->condemned || g->judged || p->wish > p->done_wish)
		return;
	g->judged = true;
	program_touch(p);
	program_remember(p);
	if (program_go_back(p, p->before, &err) < 0) {
		log_error("%s: cannot go back: %s", p->name, err.text);
		return;
	}
	log_notice("%s: goes back to what was before generation %u", p->name, g->number);
	p->wish++;
}

void goback_promoted(struct program *p, const struct generation *was)
{
	if (!was || !was->condemned || !p->current->judged)
		return;
	free(p->last_error);
	p->last_error = mem_format("generation %u was taken back: %s", was->number,
				   was->condemned);
}
