#include "rollout/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "rollout/program.h"
#include "socket/open.h"

/* One address of a configuration. */
struct place_at {
	const struct socket_settings *socket;
	unsigned index;
	struct key key;
};

struct places {
	struct place_at *items;
	size_t count;
};

static void places_of(const struct settings *s, struct places *ret)
{
	*ret = (struct places){ 0 };
	for (size_t i = 0; s && i < s->socket_count; i++)
		for (size_t k = 0; k < s->sockets[i]->address_count; k++) {
			struct place_at p = { .socket = s->sockets[i], .index = (unsigned)k };

			key_of_address(p.socket, k, &p.key);
			ret->items = mem_grow(ret->items, ret->count + 1, sizeof(p));
			ret->items[ret->count++] = p;
		}
}

static const struct place_at *find(const struct places *in, const struct key *key)
{
	for (size_t i = 0; i < in->count; i++)
		if (key_same(&in->items[i].key, key))
			return &in->items[i];
	return NULL;
}

static const struct place_at *find_overlap(const struct places *in, const struct place_at *p)
{
	for (size_t i = 0; i < in->count; i++) {
		const struct place_at *other = &in->items[i];

		if (key_overlaps(&other->key, socket_v6only(&other->key, other->socket), &p->key,
				 socket_v6only(&p->key, p->socket)))
			return other;
	}
	return NULL;
}

static struct plan_step *add(struct plan *plan, enum plan_action action, const char *name,
			     char *text)
{
	struct plan_step *step;

	plan->steps = mem_grow(plan->steps, plan->count + 1, sizeof(*plan->steps));
	step = &plan->steps[plan->count++];
	*step = (struct plan_step){ .action = action, .name = mem_text(name), .text = text };
	return step;
}

static char *joined(const struct text_list *keys)
{
	struct str text = { 0 };

	for (size_t i = 0; i < keys->count; i++)
		str_addf(&text, "%s%s", i ? ", " : "", keys->items[i]);
	return str_take(&text);
}

static enum plan_action by_effect(enum effect e)
{
	static const enum plan_action actions[] = {
		[EFFECT_NONE] = PLAN_KEEP,
		[EFFECT_LIVE] = PLAN_LIVE,
		[EFFECT_RESTART] = PLAN_RESTART,
		[EFFECT_REBIND] = PLAN_REBIND,
	};

	return actions[e];
}

static void add_socket(struct plan *plan, enum plan_action action, const struct place_at *p,
		       const char *why)
{
	char address[ADDRESS_TEXT_SIZE];
	struct plan_step *step;

	address_text(&p->key.address, address);
	step = add(plan, action, p->socket->name,
		   why && *why ? mem_format("%s (%s)", address, why) : mem_text(address));
	step->is_socket = true;
	step->key = p->key;
	step->socket = p->socket;
	step->index = p->index;
}

static void plan_kept(struct plan *plan, const struct place_at *was, const struct place_at *now)
{
	struct text_list keys = { 0 };
	struct socket_settings before = *was->socket;	/* borrows everything */
	enum effect effect;
	char *why;

	/* The addresses beside this one are steps of their own. */
	before.listen = now->socket->listen;
	effect = socket_settings_effect(&before, now->socket, &keys);
	why = joined(&keys);

	add_socket(plan, by_effect(effect), now, why);
	free(why);
	text_list_fini(&keys);
}

static void plan_sockets(struct plan *plan, const struct places *was, const struct places *now)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct place_at *kept = find(was, &now->items[i].key);
		const struct place_at *overlap = find_overlap(was, &now->items[i]);

		if (kept)
			plan_kept(plan, kept, &now->items[i]);
		else if (overlap)
			add_socket(plan, PLAN_REBIND, &now->items[i], overlap->socket->name);
		else
			add_socket(plan, PLAN_ADD, &now->items[i], NULL);
	}
	for (size_t i = 0; i < was->count; i++)
		if (!find(now, &was->items[i].key))
			add_socket(plan, PLAN_REMOVE, &was->items[i], NULL);
}

/* The addresses that a program is given, in their order. */
static void places_of_program(const struct settings *s, const struct program_settings *p,
			      struct places *ret)
{
	struct places all;

	*ret = (struct places){ 0 };
	places_of(s, &all);
	for (size_t n = 0; n < p->sockets.count; n++)
		for (size_t i = 0; i < all.count; i++) {
			if (strcmp(all.items[i].socket->name, p->sockets.items[n]) != 0)
				continue;
			ret->items = mem_grow(ret->items, ret->count + 1, sizeof(*ret->items));
			ret->items[ret->count++] = all.items[i];
		}
	free(all.items);
}

static bool same_sockets(const struct settings *was, const struct program_settings *p,
			 const struct settings *now, const struct program_settings *q)
{
	struct places a, b;
	bool same;

	places_of_program(was, p, &a);
	places_of_program(now, q, &b);
	same = a.count == b.count;
	for (size_t i = 0; same && i < a.count; i++)
		same = key_same(&a.items[i].key, &b.items[i].key);
	free(a.items);
	free(b.items);
	return same;
}

static void plan_program(struct plan *plan, const struct means *before,
			 const struct settings *now, const struct program_settings *after)
{
	struct text_list keys = { 0 };
	enum effect effect;

	if (!before) {
		add(plan, PLAN_ADD, after->name, NULL)->program = after;
		return;
	}
	effect = program_settings_effect(before->program, after, &keys);
	if (!same_sockets(before->settings, before->program, now, after)) {
		effect = effect < EFFECT_RESTART ? EFFECT_RESTART : effect;
		text_list_add(&keys, "addresses of its sockets");
	}
	add(plan, by_effect(effect), after->name, keys.count ? joined(&keys) : NULL)->program =
		after;
	text_list_fini(&keys);
}

static const struct means *means_of(const struct rollout *running, const char *name)
{
	const struct program *p = program_find(running, name);

	return p ? p->wanted : NULL;
}

void plan_make(const struct settings *was, const struct settings *now,
	       const struct rollout *running, struct plan *ret)
{
	struct places before, after;

	*ret = (struct plan){ 0 };
	places_of(was, &before);
	places_of(now, &after);
	plan_sockets(ret, &before, &after);
	free(before.items);
	free(after.items);
	for (size_t i = 0; i < now->program_count; i++)
		plan_program(ret, means_of(running, now->programs[i]->name), now,
			     now->programs[i]);
	list_each(p, &running->programs, struct program, node)
		if (!p->removed && !settings_program(now, p->name))
			(void)add(ret, PLAN_REMOVE, p->name, NULL);
}

void plan_fini(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->steps[i].name);
		free(p->steps[i].text);
	}
	free(p->steps);
	*p = (struct plan){ 0 };
}

const char *plan_action_word(enum plan_action a)
{
	static const char *const words[] = {
#define X(name, word) [PLAN_##name] = word,
		PLAN_ACTIONS(X)
#undef X
	};
	return words[a];
}

int plan_check(const struct plan *p, struct err *err)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->steps[i].action == PLAN_REBIND)
			return err_set(err, 0,
				       "socket %s: %s: a held address cannot be bound anew in this "
				       "version; shut holdport down and start it, or go back",
				       p->steps[i].name, p->steps[i].text);
	return 0;
}
