#include "socket/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "platform/platform.h"
#include "socket/anchor.h"
#include "socket/blocker.h"
#include "socket/group.h"
#include "socket/heal.h"
#include "socket/open.h"
#include "socket/rebind.h"
#include "socket/tune.h"

/* A listener that is shut down again and again is healed at this pace. */
#define HEAL_PAUSE_MS 100

static void on_again(struct loop_timer *t);
static void on_hang_up(struct loop_io *io, int events);
static void heal(struct held *h);

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

static int64_t patience(const struct held *h)
{
	return h->settings->when_busy == BUSY_FAIL ? 0 : h->settings->busy_timeout;
}

static void take_settings(struct held *h, const struct socket_settings *settings)
{
	struct settings *was = h->settings ? h->settings->whole : NULL;
	bool changed = h->settings && (h->settings->when_busy != settings->when_busy ||
				       h->settings->busy_timeout != settings->busy_timeout);

	(void)settings_ref(settings->whole);
	h->settings = settings;
	settings_unref(was);
	if (changed)
		gate_patience(&h->gate, patience(h));
}

static void forget_reason(struct held *h)
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

/* A listener never becomes writable: what wakes us is its hang-up, never a
 * connection.  A datagram socket is writable always, and cannot hang up. */
static void watch(struct held *h)
{
	struct stat st;

	h->inode = fstat(h->fd, &st) == 0 ? st.st_ino : 0;
	if (h->kept && !h->kept_inode)
		h->kept_inode = h->inode;	/* given back */
	h->bindings++;
	if (h->group && h->key.slot && h->bindings > 1)
		h->group->bound_again++;
	group_joined(h);
	/* A file that somebody else made is his to remove. */
	h->path = h->origin == ORIGIN_BOUND || h->own_path ? unix_path_note(&h->key) :
					      (struct unix_path){ .inode = 0 };
	anchor_drop(h);
	gate_open(&h->gate);
	forget_reason(h);
	if (h->key.type != SOCK_DGRAM)
		loop_io_start(h->store->loop, &h->hang_up, h->fd, LOOP_WRITE, on_hang_up);
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

static void watch_again(struct held *h)
{
	group_joined(h);
	loop_io_start(h->store->loop, &h->hang_up, h->fd, LOOP_WRITE, on_hang_up);
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

/* The one gate.  Whoever is told may let go of the socket: nothing of it is
 * touched afterwards. */
static void move(struct held *h, enum held_event event, bool news)
{
	static void (*const acts[])(struct held *h) = {
		[HELD_NOTHING] = nothing,
		[HELD_WATCH] = watch,
		[HELD_TRY_LATER] = try_later,
		[HELD_LEAVE] = leave,
		[HELD_LISTEN_AGAIN] = heal,
		[HELD_REFUSE] = refuse,
		[HELD_WATCH_AGAIN] = watch_again,
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

static bool blocked(int why)
{
	return why == EADDRINUSE || why == EACCES || why == EADDRNOTAVAIL;
}

static void set_reason(struct held *h, const struct err *err)
{
	const struct gate_view *seen = h->gate.view;
	char since[CLOCK_RFC3339_SIZE];
	struct str text = { 0 };

	if (blocked(err->code))
		blocker_text(&h->key, &seen->facts, &seen->judgement, &text);
	else
		str_add(&text, err->text);
	if (err->code == EADDRNOTAVAIL)
		str_addf(&text, " (since %s at least)", clock_rfc3339(h->gate.began, since));
	if (h->trouble)
		str_addf(&text, "; %s", h->trouble);
	free(h->reason);
	h->reason = str_take(&text);
}

/* True if the reason is another one than before. */
static bool shut(struct held *h, const struct err *err)
{
	const struct socket_settings *s = h->settings;
	struct attempt a = { .key = &h->key, .v6only = socket_v6only(&h->key, s),
			     .sharing = socket_shares(&h->key, s), .why = err->code };
	unsigned looks = h->gate.looks;
	bool news = gate_shut(&h->gate, &a, patience(h));

	h->why = err->code;
	if (!h->reason || looks != h->gate.looks)
		set_reason(h, err);
	return news;
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

static void try_now(struct held *h)
{
	struct err err = { 0 };

	h->fd = open_it(h, &err);
	rebind_bound(h);
	if (h->fd >= 0) {
		h->origin = ORIGIN_BOUND;
		h->own_path = false;
		move(h, HELD_EV_BOUND, false);
		return;
	}
	move(h, HELD_EV_BUSY, shut(h, &err));
}

static void on_go(struct gate *g)
{
	try_now(OWNER(g, struct held, gate));
}

/* Ends what is left, or says why that is no way. */
static bool reset(struct held *h)
{
	char text[ADDRESS_TEXT_SIZE];
	struct err err = { 0 };
	int ended = gate_reset(&h->gate, &err);

	if (ended < 0)
		h->trouble = mem_format("a reset is no way: %s", err.text);
	else
		log_warning("socket %s: %s: ended %d connection%s of an earlier listener, which "
			    "nobody served", h->settings->name,
			    address_text(&h->key.address, text), ended, ended == 1 ? "" : "s");
	return ended >= 0;
}

/* The patience is over: a fault, and tried on all the same. */
static void on_late(struct gate *g)
{
	struct held *h = OWNER(g, struct held, gate);
	char text[CLOCK_DURATION_SIZE];
	struct err err = { .code = h->why };

	free(h->trouble);
	h->trouble = NULL;
	if (h->settings->when_busy == BUSY_RESET && reset(h)) {
		try_now(h);
		return;
	}
	if (!h->trouble && h->settings->when_busy == BUSY_WAIT)
		h->trouble = mem_format("this takes longer than busy_timeout (%s)",
					clock_duration(patience(h), text));
	if (blocked(h->why))
		set_reason(h, &err);
	move(h, HELD_EV_BUSY, true);
}

/* The pause between two healings is over. */
static void on_again(struct loop_timer *t)
{
	move(OWNER(t, struct held, again), HELD_EV_HANG_UP, false);
}

static void on_hang_up(struct loop_io *io, int events)
{
	(void)events;
	move(OWNER(io, struct held, hang_up), HELD_EV_HANG_UP, false);
}

/* What a shutdown(2) did to a TCP listener another listen(2) undoes, in every
 * process that has it.  A unix socket stays shut: only a new one helps. */
static int listen_again(struct held *h, struct err *err)
{
	if (h->key.family == AF_UNIX)
		return err_set(err, 0, "shut the listener down; it is bound anew");
	if (platform_listen(h->fd, socket_backlog(h->settings)) < 0)
		return err_sys(err, errno, "shut the listener down, and it cannot listen again");
	return 0;
}

static void heal(struct held *h)
{
	int64_t now = loop_now(h->store->loop);
	char text[ADDRESS_TEXT_SIZE];
	struct err err = { 0 }, why = { 0 };
	struct str who = { 0 };

	address_text(&h->key.address, text);
	if (now - h->healed < HEAL_PAUSE_MS) {
		loop_io_stop(&h->hang_up);
		loop_timer_start(h->store->loop, &h->again, HEAL_PAUSE_MS, on_again);
		return;
	}
	h->healed = now;
	heal_suspect(h, &who);
	if (listen_again(h, &why)) {
		(void)err_set(&err, why.code, "%s %s", str_text(&who), why.text);
		log_warning("%s: %s: %s", h->settings->name, text, err.text);
		move(h, HELD_EV_BUSY, shut(h, &err));
	} else {
		log_warning("%s: %s shut the listener %s down; it listens again",
			    h->settings->name, str_text(&who), text);
		group_left(h);
		watch_again(h);
	}
	str_fini(&who);
}

void held_lost(struct held *h, const struct err *why)
{
	move(h, HELD_EV_BUSY, shut(h, why));
}

void store_init(struct store *s, struct loop *loop,
		void (*changed)(struct held *h, void *ctx), void *ctx)
{
	*s = (struct store){ .loop = loop, .changed = changed, .ctx = ctx };
	anchors_init(&s->anchors, loop, s);
	list_init(&s->sockets);
	list_init(&s->given);
}

void store_give(struct store *s, int fd, const struct key *key, const char *name)
{
	struct given *g = MEM_NEW(struct given);

	*g = (struct given){ .fd = fd, .key = *key, .name = mem_text(name),
			     .origin = ORIGIN_INHERITED };
	list_append(&s->given, &g->node);
}

static void given_free(struct given *g)
{
	fd_close(&g->fd);
	list_remove(&g->node);
	free(g->name);
	free(g);
}

void store_close_given(struct store *s)
{
	char text[ADDRESS_TEXT_SIZE];

	list_each_safe(g, &s->given, struct given, node) {
		log_warning("no [socket:...] has the %s address %s, which was given to us as "
			    "\"%s\" (descriptor %d); it is closed", key_type_word(&g->key),
			    address_text(&g->key.address, text), g->name, g->fd);
		given_free(g);
	}
}

/* 0.0.0.0 may stand for `any`, as it does where there is no IPv6. */
static bool stands_for_any(const struct key *given, const struct key *key)
{
	const struct sockaddr_in *in4 = (const void *)&given->address.sa;

	return key->address.any && given->family == AF_INET &&
	       in4->sin_addr.s_addr == htonl(INADDR_ANY) && given->type == key->type &&
	       given->protocol == key->protocol &&
	       address_port(&given->address) == address_port(&key->address);
}

static struct given *find_given(struct store *s, const struct key *key)
{
	list_each(g, &s->given, struct given, node)
		if (key_same(&g->key, key))
			return g;
	list_each(g, &s->given, struct given, node)
		if (stands_for_any(&g->key, key))
			return g;
	return NULL;
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
	given_free(g);
	if (socket_take(h->fd, &h->key, h->settings, &err) < 0)
		log_warning("socket %s: %s was given to us, and is held as it is: %s",
			    h->settings->name, text, err.text);
	move(h, HELD_EV_BOUND, false);
}

static void serve_again(struct held *h)
{
	struct err err = { 0 };

	if (h->key.family == AF_UNIX) {
		let_go(h);
		try_now(h);
	} else if (socket_relisten(h->fd, &h->key, h->settings, &err) < 0) {
		move(h, HELD_EV_BUSY, shut(h, &err));
	} else {
		move(h, HELD_EV_SERVED, false);
	}
}

static void serve(struct held *h, bool served)
{
	bool refuses = h->settings->when_down == DOWN_REFUSE && !served;

	if (refuses && h->key.type != SOCK_DGRAM)
		move(h, HELD_EV_UNSERVED, false);
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
	move(h, HELD_EV_RETIRED, false);
	settings_unref(h->settings->whole);
	forget_reason(h);
	free(h);
}

void store_fini(struct store *s)
{
	s->changed = NULL;
	s->closing = NULL;
	list_each_safe(g, &s->given, struct given, node)
		given_free(g);
	while (!list_empty(&s->sockets))
		held_close(held_configured(OWNER(s->sockets.next, struct held, node)));
	anchors_fini(&s->anchors);
}

struct held *store_replaced(const struct held *h)
{
	struct held *before = NULL;

	list_each(o, &h->store->sockets, struct held, node)
		if (!o->permit && key_same(&o->key, &h->key) && o->number < h->number &&
		    (!before || o->number > before->number))
			before = o;
	return before;
}

struct held *store_claim(struct store *s, const struct key *key)
{
	struct held *newest = NULL;

	list_each(h, &s->sockets, struct held, node)
		if (!h->permit && key_same(&h->key, key) && (!newest || h->number > newest->number))
			newest = h;
	return newest;
}

struct held *held_new(struct store *s, const struct key *key,
		      const struct socket_settings *settings, unsigned index, struct group *group)
{
	struct held *h = MEM_NEW(struct held);

	*h = (struct held){ .store = s, .key = *key, .fd = -1,
			    .number = ++s->last_number, .index = index, .group = group,
			    .healed = -HEAL_PAUSE_MS };
	list_init(&h->node);
	gate_init(&h->gate, s->loop, &h->key, on_go, on_late);
	take_settings(h, settings);
	return h;
}

void held_open(struct held *h)
{
	struct given *given = find_given(h->store, &h->key);

	if (given)
		take_over(h, given);
	else if (h->settings->by_worker)
		move(h, HELD_EV_LEFT, true);
	else
		try_now(h);
}

/* Slots that a predecessor had are given one by one. */
void held_claim_slots(struct held *leader)
{
	struct key key = leader->key;

	for (key.slot = 1; find_given(leader->store, &key); key.slot++)
		group_grow(leader, (size_t)key.slot + 1);
}

struct held *store_add(struct store *s, const struct key *key,
		       const struct socket_settings *settings, unsigned index)
{
	struct held *h = held_new(s, key, settings, index, NULL);

	list_append(&s->sockets, &h->node);
	if (settings->reuse_port)
		h->group = group_new(h);
	held_open(h);
	if (h->group)
		held_claim_slots(h);
	return h;
}

void held_take(struct held *h, int fd)
{
	h->fd = fd;
	h->origin = ORIGIN_BOUND;
	move(h, HELD_EV_BOUND, false);
}

static int tune_one(struct held *h, const struct socket_settings *settings, struct err *err)
{
	int rc = 0;

	if (h->fd >= 0 && (tune_reset(h->fd, &h->key, h->settings, settings, err) ||
			   socket_retune(h->fd, &h->key, settings, err))) {
		(void)tune_reset(h->fd, &h->key, settings, h->settings, NULL);
		(void)socket_retune(h->fd, &h->key, h->settings, NULL);
		rc = -1;
	}
	if (rc == 0)
		take_settings(h, settings);
	if (h->state == HELD_REFUSING)	/* a new backlog made it listen */
		socket_refuse(h->fd, &h->key);
	return rc;
}

int held_retune(struct held *h, const struct socket_settings *settings, struct err *err)
{
	const struct socket_settings *was = h->settings;
	struct settings *whole = settings_ref(was->whole);
	size_t done = 0;
	int rc = 0;

	while (rc == 0 && done < group_size(h))
		rc = tune_one(group_slot(h, done++), settings, err);
	if (rc < 0)
		for (done--; done-- > 0;)
			(void)tune_one(group_slot(h, done), was, NULL);
	settings_unref(whole);
	list_each(o, &h->store->sockets, struct held, node)
		if (rc == 0 && o->permit == h)
			rc = tune_one(o, settings, err);
	return rc;
}

void held_settings(struct held *h, const struct socket_settings *settings, unsigned index)
{
	for (size_t i = 0; i < group_size(h); i++) {
		struct held *one = group_slot(h, i);

		take_settings(one, settings);
		one->index = index;
		if (settings->reuse_port && one->fd >= 0 &&
		    socket_set_owner(one->fd, settings, NULL) < 0)
			log_warning("socket %s: its slots cannot be given to the user of its "
				    "program", settings->name);
	}
	list_each(o, &h->store->sockets, struct held, node)
		if (o->permit == h) {
			take_settings(o, settings);
			o->index = index;
		}
}
