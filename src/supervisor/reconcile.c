#include "supervisor/reconcile.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "platform/platform.h"
#include "rollout/takeover.h"
#include "socket/open.h"
#include "socket/rebind.h"

/* What may pass, and is worth waiting for.  ENOENT is the directory of a unix
 * socket; elsewhere it is an option that the system does not have. */
static bool may_pass(const struct held *h)
{
	int why = h->why;

	return why == EADDRINUSE || why == EADDRNOTAVAIL || why == EACCES || why == EMFILE ||
	       why == ENFILE || why == ENOBUFS || why == ENOMEM ||
	       (why == ENOENT && h->key.family == AF_UNIX);
}

/* What a step did to a held socket, to be taken back if a later one fails. */
struct undo {
	struct held *held;		/* NULL: nothing was done */
	bool fresh;			/* it was bound by the step */
	bool tuned;			/* options were set */
	bool back;			/* it was on its way out, and came back */
	struct held *left;		/* marked as leaving by the step */
	const struct socket_settings *settings;	/* before; with a reference to the whole */
	unsigned index;
};

static void note_before(struct undo *u, struct held *h)
{
	u->held = h;
	u->settings = h->settings;
	u->index = h->index;
	(void)settings_ref(h->settings->whole);
}

static int add_socket(const struct reconcile *r, const struct plan_step *step, struct undo *u,
		      struct err *err)
{
	struct held *h = store_claim(r->store, &step->key);

	if (h && !step->in_place && rebind_alike(&h->key, h->settings, step->socket)) {
		/* A generation that still drains kept it alive. */
		note_before(u, h);
		u->back = true;
		held_settings(h, step->socket, step->index);
		held_return(h);
		held_ref(h);
		return 0;
	}
	h = store_add(r->store, &step->key, step->socket, step->index);
	held_ref(h);
	u->held = h;
	u->fresh = true;
	/* A cold start has nothing to go back to: even the impossible is tried
	 * on, and status says why. */
	if (!r->was || h->state == HELD_LISTENING || held_awaits_worker(h))
		return 0;
	if (step->action == PLAN_REBIND && h->shared)
		return err_set(err, may_pass(h) ? h->why : 0, "socket %s: cannot be bound beside the one that is "
			       "held: %s", step->name, rebind_obstacle(h));
	if (may_pass(h) && held_may_wait(h))
		return 0;
	return err_set(err, may_pass(h) ? h->why : 0, "socket %s: %s", step->name, h->reason);
}

static int tune_socket(const struct reconcile *r, const struct plan_step *step, struct undo *u,
		       struct err *err)
{
	struct held *h = store_claim(r->store, &step->key);

	note_before(u, h);
	if (held_retune(h, step->socket, err) < 0) {
		err->code = 0;
		return err_in(err, "socket %s", step->name);
	}
	u->tuned = true;
	return 0;
}

/* What the new configuration does not have, or not as it is, makes room. */
static void let_leave(const struct reconcile *r, const struct plan_step *step, struct undo *u)
{
	struct held *h = NULL;

	if (step->is_socket && (step->action == PLAN_REMOVE || step->in_place))
		h = store_claim(r->store, &step->key);
	if (!h || h->leaving)
		return;
	held_leave(h);
	u->left = h;
}

static void take_back(const struct undo *u, const struct plan_step *step)
{
	struct err err;

	if (!u->held)
		return;
	if (u->tuned && held_retune(u->held, u->settings, &err) < 0)
		log_error("socket %s: cannot go back: %s", step->name, err.text);
	if (!u->fresh)
		held_settings(u->held, u->settings, u->index);
	if (u->back)
		held_leave(u->held);
	if (u->fresh || u->back)
		held_unref(u->held);
}

static void take_all_back(const struct plan *plan, const struct undo *undo, size_t done)
{
	for (size_t i = 0; i < plan->count; i++)
		if (undo[i].left)
			held_return(undo[i].left);
	for (size_t i = 0; i < done; i++)
		take_back(&undo[i], &plan->steps[i]);
}

/* The first step that fails takes all of them back. */
static int take_steps(const struct reconcile *r, const struct plan *plan, struct undo *undo,
		      struct err *err)
{
	for (size_t i = 0; i < plan->count; i++)
		let_leave(r, &plan->steps[i], &undo[i]);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];
		int rc = 0;

		if (step->is_socket && (step->action == PLAN_ADD || step->action == PLAN_REBIND))
			rc = add_socket(r, step, &undo[i], err);
		else if (step->is_socket && step->action == PLAN_LIVE)
			rc = tune_socket(r, step, &undo[i], err);
		if (rc == 0)
			continue;
		take_all_back(plan, undo, i + 1);
		return -1;
	}
	return 0;
}

static int bind_all(const struct reconcile *r, const struct plan *plan, struct err *err)
{
	struct undo *undo = mem_new(plan->count * sizeof(*undo));
	int rc = take_steps(r, plan, undo, err);

	for (size_t i = 0; i < plan->count; i++)
		if (undo[i].settings)
			settings_unref(undo[i].settings->whole);
	free(undo);
	return rc;
}

static struct ask *ask_for(const struct reconcile *r, const char *name)
{
	return r->ask_for ? r->ask_for(name, r->ask_ctx) : NULL;
}

static void add_program(const struct reconcile *r, const struct plan_step *step,
			struct means *means)
{
	struct program *p = NULL;

	/* One that is on its way out comes back in its place. */
	list_each(old, &r->rollout->programs, struct program, node)
		if (old->removed && strcmp(old->name, step->name) == 0)
			p = old;
	if (p)
		program_change(p, means, EFFECT_LIVE, NULL);
	else
		p = program_new(r->rollout, means);
	if (step->program->start == START_AUTO)
		program_start(p, ask_for(r, step->name));
	else if (step->program->start == START_ON_DEMAND)
		program_sleep(p);
}

static void change_program(const struct reconcile *r, const struct plan_step *step,
			   struct means *means)
{
	struct program *p = program_find(r->rollout, step->name);
	bool restart = step->action == PLAN_RESTART;

	program_change(p, means, restart ? EFFECT_RESTART : EFFECT_LIVE,
		       restart ? ask_for(r, step->name) : NULL);
}

static void commit_program(const struct reconcile *r, const struct plan_step *step)
{
	struct means *means;

	if (step->action == PLAN_REMOVE) {
		program_remove(program_find(r->rollout, step->name), ask_for(r, step->name));
		return;
	}
	means = means_new(r->now, step->program, r->store);
	if (step->action == PLAN_ADD)
		add_program(r, step, means);
	else
		change_program(r, step, means);
	means_unref(means);
}

/* Mostly they are in order, and it is the first of those that were not put there yet. */
static struct program *next_called(const struct rollout *r, const char *name)
{
	struct program *first = OWNER(r->programs.next, struct program, node);

	if (!list_empty(&r->programs) && !first->removed && strcmp(first->name, name) == 0)
		return first;
	return program_find(r, name);
}

/* Lists are shown in the order of the configuration. */
static void put_in_order(const struct reconcile *r)
{
	for (size_t i = 0; i < r->now->program_count; i++) {
		struct program *p = next_called(r->rollout, r->now->programs[i]->name);

		if (!p)
			continue;
		list_remove(&p->node);
		list_append(&r->rollout->programs, &p->node);
	}
}

static void commit_socket(const struct reconcile *r, const struct plan_step *step)
{
	struct held *h = store_claim(r->store, &step->key);

	held_settings(h, step->socket, step->index);
	list_remove(&h->node);
	list_append(&r->store->sockets, &h->node);
}

/* What the configuration does not have any more; programs may have it still. */
static void let_go(const struct reconcile *r, const struct plan_step *step)
{
	if (step->is_socket && step->action == PLAN_REMOVE)
		held_unref(store_claim(r->store, &step->key));
	else if (step->is_socket && step->in_place)
		held_unref(store_replaced(store_claim(r->store, &step->key)));
}

/* Programs first: their means take hold of sockets that the configuration is
 * about to let go. */
int reconcile(const struct reconcile *r, const struct plan *plan, struct err *err)
{
	if (plan_check(plan, platform_can(CAN_STEER), err) < 0 || bind_all(r, plan, err) < 0)
		return -1;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].is_socket && plan->steps[i].action != PLAN_REMOVE)
			commit_socket(r, &plan->steps[i]);
	for (size_t i = 0; i < plan->count; i++)
		if (!plan->steps[i].is_socket)
			commit_program(r, &plan->steps[i]);
	put_in_order(r);
	for (size_t i = 0; i < plan->count; i++)
		let_go(r, &plan->steps[i]);
	rollout_steer(r->rollout);
	return 0;
}

static struct held *held_for(struct store *store, const struct socket_settings *k, size_t i)
{
	struct key key;
	struct held *h;

	key_of_address(k, i, &key);
	h = store_claim(store, &key);
	if (h && h->leaving)
		held_return(h);		/* a reload that failed, or was not written to its end */
	return h ? h : store_add(store, &key, k, (unsigned)i);
}

void reconcile_hold(struct store *store, const struct settings *s)
{
	for (size_t i = 0; i < s->socket_count; i++)
		for (size_t k = 0; k < s->sockets[i]->address_count; k++) {
			struct held *h = held_for(store, s->sockets[i], k);

			held_ref(h);
			list_remove(&h->node);
			list_append(&store->sockets, &h->node);
		}
	store_find_permits(store);
}

void reconcile_end_revival(struct rollout *r, struct store *store, const struct settings *s)
{
	put_in_order(&(struct reconcile){ .rollout = r, .now = (struct settings *)(uintptr_t)s });
	store_revived(store);
	rebind_revived(store);
	rollout_steer(r);
}

void reconcile_release(struct store *store, const struct settings *s)
{
	for (size_t i = 0; i < s->socket_count; i++)
		for (size_t k = 0; k < s->sockets[i]->address_count; k++) {
			struct key key;
			struct held *h;

			key_of_address(s->sockets[i], k, &key);
			if ((h = store_claim(store, &key)))
				held_unref(h);
		}
}
