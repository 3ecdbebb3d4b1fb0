#include "rollout/order.h"

static bool is_behind(const struct program *p, const struct program *other)
{
	for (p = p->behind; p; p = p->behind)
		if (p == other)
			return true;
	return false;
}

/* Its first attempt has no outcome yet. */
static bool is_coming(const struct program *p)
{
	return p->up && p->state == PROGRAM_STARTING && !p->current && !p->failures;
}

static bool is_going(const struct program *p)
{
	return !p->up && !list_empty(&p->generations);
}

static bool is_after(const struct program *p, const struct program *other)
{
	return text_list_has(&p->wanted->program->after, other->name);
}

struct program *order_before_start(const struct program *p)
{
	if (p->current || !p->wanted->program->after.count)
		return NULL;
	list_each(q, &p->rollout->programs, struct program, node)
		if (is_coming(q) && is_after(p, q) && !is_behind(q, p))
			return q;
	return NULL;
}

struct program *order_before_stop(const struct program *p)
{
	if (!p->current)
		return NULL;
	list_each(q, &p->rollout->programs, struct program, node)
		if (is_going(q) && is_after(q, p) && !is_behind(q, p))
			return q;
	return NULL;
}

bool order_has_followers(const struct program *p)
{
	list_each(q, &p->rollout->programs, struct program, node)
		if (is_after(q, p))
			return true;
	return false;
}

void order_moved(const struct program *p)
{
	list_each(q, &p->rollout->programs, struct program, node)
		if (q->behind == p)
			program_kick(q);
}

void order_forget(const struct program *p)
{
	order_moved(p);
	list_each(q, &p->rollout->programs, struct program, node)
		if (q->behind == p)
			q->behind = NULL;
}
