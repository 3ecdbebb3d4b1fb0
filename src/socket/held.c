#include "socket/held.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "socket/anchor.h"
#include "socket/group.h"
#include "socket/open.h"
#include "socket/rebind.h"

const char *origin_word(enum origin o)
{
	static const char *const words[] = {
		[ORIGIN_BOUND] = "bound",
		[ORIGIN_INHERITED] = "inherited",
		[ORIGIN_RECOVERED] = "recovered",
		[ORIGIN_ADOPTED] = "adopted",
	};

	return words[o];
}

static void let_go(struct held *h)
{
	loop_timer_stop(&h->again);
	loop_io_stop(&h->hang_up);
	anchor_weigh(h);
	if (h->fd >= 0 && h->store->closing)
		h->store->closing(h, h->store->ctx);
	fd_close(&h->fd);
	group_left(h);
	h->inode = 0;
}

void held_forget_reason(struct held *h)
{
	h->spoilt = false;
	free(h->reason);
	free(h->trouble);
	h->reason = h->trouble = NULL;
}

static void nothing(struct held *h)
{
	(void)h;
}

static void leave(struct held *h)
{
	h->reason = mem_text("no worker has bound it yet (handoff = intercept)");
}

/* When, the gate knows. */
static void try_later(struct held *h)
{
	let_go(h);
}

static void refuse(struct held *h)
{
	loop_timer_stop(&h->again);
	loop_io_stop(&h->hang_up);
	socket_refuse(h->fd, &h->key);
	group_left(h);
}

static void release(struct held *h)
{
	unix_path_remove(&h->key, &h->path);
	let_go(h);
	rebind_left(h);
	gate_open(&h->gate);
	list_remove(&h->node);
}

void held_move(struct held *h, enum held_event event, bool news)
{
	static void (*const acts[])(struct held *h) = {
		[HELD_NOTHING] = nothing,
		[HELD_WATCH] = held_watch,
		[HELD_TRY_LATER] = try_later,
		[HELD_LEAVE] = leave,
		[HELD_LISTEN_AGAIN] = held_heal,
		[HELD_REFUSE] = refuse,
		[HELD_WATCH_AGAIN] = held_watch_again,
		[HELD_RELEASE] = release,
	};
	const struct held_arrow *a = held_arrow(h->state, event);
	struct store *s = h->store;

	if (a->act == HELD_NOTHING)
		return;
	news = news || a->to != h->state;
	h->state = a->to;
	acts[a->act](h);
	if (news && s->changed)
		s->changed(h, s->ctx);
}

/* Beside those whose place it takes; else alone. */
static int open_it(struct held *h, struct err *err)
{
	struct beside how;
	int fd;

	/* What leads the group is beside others already, or alone. */
	if (h->key.slot && rebind_like_leader(h, &how))
		return socket_open_beside(&h->key, h->settings, &how, err);
	h->shared = !h->key.slot && rebind_make_room(h, &how);
	if (!h->shared)
		return socket_open(&h->key, h->settings, err);
	fd = socket_open_beside(&h->key, h->settings, &how, err);
	h->store->beside = true;
	h->deaf = how.deaf && fd >= 0;
	return fd;
}

void held_try(struct held *h)
{
	struct err err = { 0 };

	h->fd = open_it(h, &err);
	rebind_bound(h);
	if (h->fd >= 0) {
		h->origin = ORIGIN_BOUND;
		h->own_path = false;
		held_move(h, HELD_EV_BOUND, false);
		return;
	}
	held_busy(h, &err);
}

static void on_go(struct gate *g)
{
	held_try(OWNER(g, struct held, gate));
}

static void take_over(struct held *h, struct given *g)
{
	char text[ADDRESS_TEXT_SIZE];
	struct err err = { 0 };

	h->fd = g->fd;
	h->origin = g->origin;
	h->kept = g->kept;
	g->fd = -1;
	/* The one who had it before us was changing it, and did not come to the end. */
	if (platform_is_deaf(h->fd))
		(void)platform_hear(h->fd, h->settings->bind_device, NULL);
	address_text(&h->key.address, text);
	log_info("socket %s: %s is the one that was given to us as \"%s\"", h->settings->name,
		 text, g->name);
	store_forget_given(g);
	if (socket_take(h->fd, &h->key, h->settings, &err) < 0)
		log_warning("socket %s: %s was given to us, and is held as it is: %s",
			    h->settings->name, text, err.text);
	held_move(h, HELD_EV_BOUND, false);
}

static void serve_again(struct held *h)
{
	struct err err = { 0 };

	if (h->key.family == AF_UNIX) {
		let_go(h);
		held_try(h);
	} else if (socket_relisten(h->fd, &h->key, h->settings, &err) < 0) {
		held_busy(h, &err);
	} else {
		held_move(h, HELD_EV_SERVED, false);
	}
}

static void serve(struct held *h, bool served)
{
	bool refuses = h->settings->when_down == DOWN_REFUSE && !served;

	if (refuses && h->key.type != SOCK_DGRAM)
		held_move(h, HELD_EV_UNSERVED, false);
	else if (!refuses && h->state == HELD_REFUSING)
		serve_again(h);
}

void held_serve(struct held *h, bool served)
{
	for (size_t i = 0; i < group_size(h); i++)
		serve(group_slot(h, i), served);
}

void held_close(struct held *h)
{
	rebind_leave(h);
	held_close_permitted(h);
	if (h->group && !h->key.slot)
		group_free(h->group);
	if (!h->key.slot)
		h->group = NULL;
	/* The one who gave it to us has it still, and expects it to listen. */
	if (h->state == HELD_REFUSING && h->origin == ORIGIN_INHERITED)
		(void)socket_relisten(h->fd, &h->key, h->settings, NULL);
	held_move(h, HELD_EV_RETIRED, false);
	settings_unref(h->settings->whole);
	held_forget_reason(h);
	free(h);
}

struct held *held_new(struct store *s, const struct key *key,
		      const struct socket_settings *settings, unsigned index, struct group *group)
{
	struct held *h = MEM_NEW(struct held);

	*h = (struct held){ .store = s, .key = *key, .fd = -1,
			    .number = ++s->last_number, .index = index, .group = group,
			    .healed = -HEAL_PAUSE_MS };
	list_init(&h->node);
	gate_init(&h->gate, s->loop, &h->key, on_go, held_late);
	held_take_settings(h, settings);
	return h;
}

void held_open(struct held *h)
{
	struct given *given = store_given(h->store, &h->key);

	if (given)
		take_over(h, given);
	else if (h->settings->by_worker)
		held_move(h, HELD_EV_LEFT, true);
	else
		held_try(h);
}

/* Slots that a predecessor had are given one by one. */
void held_claim_slots(struct held *leader)
{
	struct key key = leader->key;

	for (key.slot = 1; store_given(leader->store, &key); key.slot++)
		group_grow(leader, (size_t)key.slot + 1);
}

void held_take(struct held *h, int fd)
{
	h->fd = fd;
	h->origin = ORIGIN_BOUND;
	held_move(h, HELD_EV_BOUND, false);
}

void held_leave(struct held *h)
{
	h->leaving = true;
}

void held_return(struct held *h)
{
	h->leaving = false;
	h->number = ++h->store->last_number;
}

void held_ref(struct held *h)
{
	h->references++;
}

void held_unref(struct held *h)
{
	if (--h->references == 0)
		held_close(h);
}
