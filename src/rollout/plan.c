#include "rollout/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "rollout/program.h"
#include "socket/open.h"
#include "socket/rebind.h"

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

static void add_places(struct places *places, const struct socket_settings *s)
{
	for (size_t k = 0; k < s->address_count; k++) {
		struct place_at p = { .socket = s, .index = (unsigned)k };

		key_of_address(s, k, &p.key);
		places->items = mem_grow(places->items, places->count + 1, sizeof(p));
		places->items[places->count++] = p;
	}
}

static void places_of(const struct settings *s, struct places *ret)
{
	*ret = (struct places){ 0 };
	for (size_t i = 0; s && i < s->socket_count; i++)
		add_places(ret, s->sockets[i]);
}

static const struct place_at *find(const struct places *in, const struct key *key)
{
	for (size_t i = 0; i < in->count; i++)
		if (key_same(&in->items[i].key, key))
			return &in->items[i];
	return NULL;
}

/* One that the new configuration lets go; beside one that stays there is no place. */
static const struct place_at *find_overlap(const struct places *in, const struct places *now,
					   const struct place_at *p)
{
	for (size_t i = 0; i < in->count; i++) {
		const struct place_at *other = &in->items[i];

		if (key_overlaps(&other->key, socket_v6only(&other->key, other->socket), &p->key,
				 socket_v6only(&p->key, p->socket)) &&
		    !find(now, &other->key))
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

static struct plan_step *add_socket(struct plan *plan, enum plan_action action,
				    const struct place_at *p, const char *why)
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
	return step;
}

static void add_rebind(struct plan *plan, const struct place_at *was, const struct place_at *now,
		       const char *why)
{
	struct plan_step *step = add_socket(plan, PLAN_REBIND, now, why);

	step->in_place = key_same(&was->key, &now->key);
	step->was_key = was->key;
	step->was = was->socket;
}

static void plan_overlap(struct plan *plan, const struct place_at *was, const struct place_at *now)
{
	char address[ADDRESS_TEXT_SIZE], why[ADDRESS_TEXT_SIZE + 16];
	bool same = strcmp(address_text(&was->key.address, address),
			   address_text(&now->key.address, why)) == 0;

	(void)snprintf(why, sizeof(why), "in place of %s", address);
	add_rebind(plan, was, now, !same ? why : now->socket->mptcp ? "mptcp" : "no mptcp");
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
	if (was->socket->by_worker && !now->socket->by_worker) {
		effect = EFFECT_REBIND;
		text_list_add(&keys, "no worker binds it any more");
	}
	why = joined(&keys);
	if (effect == EFFECT_REBIND && was->socket->by_worker == now->socket->by_worker &&
	    rebind_alike(&now->key, was->socket, now->socket))
		effect = EFFECT_LIVE;

	if (effect == EFFECT_REBIND)
		add_rebind(plan, was, now, why);
	else
		(void)add_socket(plan, by_effect(effect), now, why);
	free(why);
	text_list_fini(&keys);
}

static void plan_sockets(struct plan *plan, const struct places *was, const struct places *now)
{
	for (size_t i = 0; i < now->count; i++) {
		const struct place_at *kept = find(was, &now->items[i].key);
		const struct place_at *overlap = kept ? NULL : find_overlap(was, now, &now->items[i]);

		if (kept)
			plan_kept(plan, kept, &now->items[i]);
		else if (overlap)
			plan_overlap(plan, overlap, &now->items[i]);
		else
			(void)add_socket(plan, PLAN_ADD, &now->items[i], NULL);
	}
	for (size_t i = 0; i < was->count; i++)
		if (!find(now, &was->items[i].key))
			(void)add_socket(plan, PLAN_REMOVE, &was->items[i], NULL);
}

/* The addresses that a program is given, in their order. */
static void places_of_program(const struct settings *s, const struct program_settings *p,
			      struct places *ret)
{
	*ret = (struct places){ 0 };
	for (size_t n = 0; n < p->sockets.count; n++)
		add_places(ret, settings_socket(s, p->sockets.items[n]));
}

/* Bound anew in between, it is not the one that the program has. */
static bool same_socket(const struct place_at *a, const struct place_at *b)
{
	return key_same(&a->key, &b->key) && rebind_alike(&a->key, a->socket, b->socket);
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
		same = same_socket(&a.items[i], &b.items[i]);
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
		text_list_add(&keys, "its sockets");
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

void plan_tell_risks(struct plan *p, bool can_steer)
{
	for (size_t i = 0; i < p->count; i++) {
		struct plan_step *s = &p->steps[i];
		const char *risk;
		char *text;

		if (s->action != PLAN_REBIND || s->key.family == AF_UNIX)
			continue;
		risk = rebind_risk(&s->was_key, s->was, &s->key, s->socket, can_steer);
		text = risk ? mem_format("%s; %s", s->text, risk) : mem_text(s->text);
		free(s->text);
		s->text = text;
	}
}

static bool is_workers(const struct plan_step *s)
{
	return s->socket->by_worker || (s->was && s->was->by_worker);
}

/* Who chooses within a group cannot choose between two of them as well. */
static bool groups_meet(const struct plan_step *s, bool can_steer)
{
	return (s->socket->reuse_port || (s->was && s->was->reuse_port)) &&
	       (!can_steer || s->key.type == SOCK_DGRAM);
}

/* A path is one file, whatever the type of its socket; what workers have bound has
 * the options that they chose. */
static const char *obstacle(const struct plan_step *s, bool can_steer)
{
	if (s->action != PLAN_REBIND)
		return NULL;
	if (is_workers(s))
		return "an address that workers bind (handoff = intercept) cannot be bound anew; "
		       "shut holdport down and start it, or go back";
	if (groups_meet(s, can_steer))
		return "a group (reuse_port) of datagrams, or without CAP_NET_RAW, cannot be bound "
		       "anew while it is held; shut holdport down and start it, or go back";
	if (s->key.family == AF_UNIX)
		return "a held path cannot be bound anew; give the new socket another path, or "
		       "shut holdport down and start it";
	return NULL;
}

int plan_check(const struct plan *p, bool can_steer, struct err *err)
{
	for (size_t i = 0; i < p->count; i++) {
		const char *why = obstacle(&p->steps[i], can_steer);

		if (why)
			return err_set(err, 0, "socket %s: %s: %s", p->steps[i].name,
				       p->steps[i].text, why);
	}
	return 0;
}
