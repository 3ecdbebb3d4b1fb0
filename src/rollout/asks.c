#include "rollout/asks.h"

void ask_put(struct program *p, struct ask *a, enum ask_kind kind, unsigned ticket)
{
	if (!a)
		return;
	a->program = p;
	a->kind = kind;
	a->ticket = ticket;
	list_append(&p->asks, &a->node);
}

void ask_forget(struct ask *a)
{
	if (a->node.next)
		list_remove(&a->node);
}

static bool is_under_way(const struct program *p, enum ask_kind kind, unsigned ticket)
{
	switch (kind) {
	case ASK_UP:
		return ticket <= p->wish;
	case ASK_DOWN:
		return !p->up;
	case ASK_SCALE:
		return p->scaling;
	}
	return false;
}

bool ask_again(struct program *p, struct ask *a, enum ask_kind kind, unsigned ticket)
{
	if (!is_under_way(p, kind, ticket))
		return false;
	ask_put(p, a, kind, ticket);
	program_kick(p);
	return true;
}

void ask_tell(struct ask *a, bool ok, const char *text, const struct text_list *lines)
{
	if (!a)
		return;
	list_init(&a->node);
	a->done(a, ok, text, lines);
}

/* The list may change under done(): begin again after each. */
static void settle(struct program *p, enum ask_kind kind, unsigned most, bool ok,
		   const char *text, const struct text_list *lines)
{
	bool again = true;

	while (again) {
		again = false;
		list_each(a, &p->asks, struct ask, node) {
			if ((kind != ASK_ALL && a->kind != kind) || a->ticket > most)
				continue;
			list_remove(&a->node);
			a->done(a, ok, text, lines);
			again = true;
			break;
		}
	}
}

void asks_settle(struct program *p, enum ask_kind kind, bool ok, const char *text,
		 const struct text_list *lines)
{
	settle(p, kind, ~0U, ok, text, lines);
}

void asks_settle_wish(struct program *p, unsigned wish, bool ok, const char *text,
		      const struct text_list *lines)
{
	settle(p, ASK_UP, wish, ok, text, lines);
}
