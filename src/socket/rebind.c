#include "socket/rebind.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "platform/conflict.h"
#include "platform/platform.h"
#include "socket/group.h"
#include "socket/heal.h"

/* A handshake that began before the listener was deafened ends after a round trip
 * to the client.  So long one is waited for, if there are any at the port. */
#define HANDSHAKE_MS 1000
/* Between two tries to bind a spoilt one anew. */
#define RENEW_PAUSE_MS 1000

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool rebind_alike(const struct key *key, const struct socket_settings *a,
		  const struct socket_settings *b)
{
	if (key->family == AF_UNIX)
		return true;
	return socket_v6only(key, a) == socket_v6only(key, b) && a->exclusive == b->exclusive &&
	       a->reuse_port == b->reuse_port && a->free_bind == b->free_bind &&
	       a->transparent == b->transparent && same_text(a->bind_device, b->bind_device);
}

static bool address_same(const struct address *a, const struct address *b)
{
	return a->length == b->length && memcmp(&a->sa, &b->sa, a->length) == 0;
}

static bool same_place(const struct held *a, const struct held *b)
{
	return key_same(&a->key, &b->key) ||
	       key_overlaps(&a->key, socket_v6only(&a->key, a->settings), &b->key,
			    socket_v6only(&b->key, b->settings));
}

bool rebind_rivals(const struct held *a, const struct held *b)
{
	return a != b && a->fd >= 0 && b->fd >= 0 && (a->leaving || b->leaving) &&
	       a->key.family != AF_UNIX && b->key.family != AF_UNIX && same_place(a, b);
}

static bool has_rival(const struct held *h)
{
	list_each(o, &h->store->sockets, struct held, node)
		if (rebind_rivals(h, o))
			return true;
	return false;
}

/* All that share an address belong to one user: the workers' in a group. */
static uid_t wanted_owner(const struct held *h, const struct held *old)
{
	struct stat st;

	if (h->settings->reuse_port && h->settings->worker_uid != (uid_t)-1)
		return h->settings->worker_uid;
	return fstat(old->fd, &st) == 0 ? st.st_uid : geteuid();
}

static void give_to(const struct held *h, uid_t owner)
{
	struct stat st;

	for (size_t i = 0; i < group_size(h); i++) {
		int fd = group_slot(h, i)->fd;

		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid != owner)
			(void)platform_socket_owner(fd, owner);
	}
}

bool rebind_like_leader(const struct held *h, struct beside *ret_how)
{
	const struct held *leader = group_slot(h, 0);

	*ret_how = (struct beside){ .deaf = leader->deaf, .number = rebind_number(leader),
				    .owner = wanted_owner(leader, leader) };
	return leader->deaf && leader->fd >= 0;
}

/* Can hearing be taken from it, and given back?  A datagram socket without an interface
 * cannot even answer. */
static bool can_deafen(const struct held *h)
{
	return h->key.type != SOCK_DGRAM && platform_can(CAN_STEER);
}

bool rebind_make_room(struct held *h, struct beside *ret_how)
{
	bool beside = false;
	struct err err;

	*ret_how = (struct beside){ .deaf = can_deafen(h), .owner = geteuid(),
				    .number = rebind_number(h) };
	list_each(o, &h->store->sockets, struct held, node) {
		if (o == h || o->fd < 0 || !o->leaving || o->key.family == AF_UNIX ||
		    !same_place(h, o))
			continue;
		if (platform_share(o->fd, true, &err) < 0)
			log_warning("socket %s: %s", o->settings->name, err.text);
		ret_how->owner = wanted_owner(h, o);
		give_to(o, ret_how->owner);
		o->shared = true;
		beside = true;
	}
	return beside;
}

/* What was accepted under exclusive = yes has no option by which others get past. */
const char *rebind_obstacle(const struct held *h)
{
	list_each(o, &h->store->sockets, struct held, node)
		if (h->why == EADDRINUSE && o != h && o->leaving &&
		    o->settings->exclusive == CHOICE_YES && same_place(h, o))
			return "what it accepted under exclusive = yes keeps the address until "
			       "those connections are gone; try again then";
	return h->reason;
}

/* Nobody is to bind beside what is alone at its address again. */
static void unshare(struct held *h)
{
	if (h->fd < 0 || has_rival(h))
		return;
	h->shared = false;
	if (h->settings->reuse_port && h->settings->worker_uid != (uid_t)-1)
		give_to(h, h->settings->worker_uid);
	else if (h->origin == ORIGIN_BOUND)
		give_to(h, geteuid());
	if (h->settings->exclusive != CHOICE_NO && !h->settings->reuse_port)
		(void)platform_share(h->fd, false, NULL);
}

static void unshare_all(struct held *but)
{
	list_each(o, &but->store->sockets, struct held, node)
		if (o != but && o->shared)
			unshare(o);
}

unsigned rebind_number(const struct held *h)
{
	return (unsigned)(h->number & DEAF_MOST);
}

/* The kernel makes a group of them, and asks it who is to have a connection. */
static bool one_group(const struct held *a, const struct held *b)
{
	return a->key.slot == b->key.slot &&
	       address_same(&a->key.address, &b->key.address) &&
	       socket_v6only(&a->key, a->settings) == socket_v6only(&b->key, b->settings) &&
	       same_text(a->settings->bind_device, b->settings->bind_device);
}

/* The older one is the first of the group.  A multipath socket cannot be asked. */
static void prefer(const struct held *a, const struct held *b, unsigned place)
{
	if (one_group(a, b) && platform_prefer(a->fd, place, NULL) < 0)
		(void)platform_prefer(b->fd, place, NULL);
}

static void hear(struct held *h)
{
	struct err err;

	if (!h->deaf)
		return;
	list_each(o, &h->store->sockets, struct held, node)
		if (!can_deafen(o) && rebind_rivals(h, o))
			prefer(h, o, 0);
	h->deaf = false;
	for (size_t i = 0; i < group_size(h); i++)
		if (group_slot(h, i)->fd >= 0 &&
		    platform_hear(group_slot(h, i)->fd, h->settings->bind_device, &err) < 0) {
			log_error("socket %s: %s", h->settings->name, err.text);
			h->deaf = true;
		}
}

static void deafen(struct held *h)
{
	struct err err;

	if (h->deaf)
		return;
	h->deaf_since = loop_now(h->store->loop);
	h->deaf = true;
	for (size_t i = 0; i < group_size(h); i++)
		if (group_slot(h, i)->fd >= 0 &&
		    platform_deafen(group_slot(h, i)->fd, rebind_number(h), &err) < 0) {
			log_error("socket %s: %s", h->settings->name, err.text);
			h->deaf = false;
		}
}

void rebind_bound(struct held *h)
{
	if (h->fd < 0 && !h->key.slot)
		unshare_all(h);
	if (h->fd < 0 || h->deaf || h->key.slot)
		return;
	list_each(o, &h->store->sockets, struct held, node)
		if (rebind_rivals(h, o))
			prefer(h, o, 0);
}

static bool hears_beside(const struct held *h, const struct held *but)
{
	list_each(o, &h->store->sockets, struct held, node)
		if (o != but && rebind_rivals(h, o) && !o->deaf)
			return true;
	return false;
}

/* Clients that waited there, and nobody will accept any more. */
static void tell_cut_off(const struct held *h)
{
	char text[ADDRESS_TEXT_SIZE];
	int queue = group_waiting(h, 0);

	if (queue > 0)
		log_warning("socket %s: %s: %d connections waited in the old socket, which "
			    "nobody serves any more; they are cut off", h->settings->name,
			    address_text(&h->key.address, text), queue);
}

void rebind_leave(struct held *h)
{
	if (h->key.slot)
		return;
	if (h->leaving)
		tell_cut_off(h);
	/* Who gave it to us has it still. */
	if (h->origin == ORIGIN_INHERITED) {
		hear(h);
		if (h->shared)
			(void)platform_share(h->fd, false, NULL);
	}
	list_each(o, &h->store->sockets, struct held, node)
		if (rebind_rivals(h, o) && o->deaf && !hears_beside(o, h))
			hear(o);
}

void rebind_revived(struct store *s)
{
	list_each(h, &s->sockets, struct held, node)
		if (h->shared)
			unshare(h);
}

void rebind_left(struct held *h)
{
	if (!h->key.slot)
		unshare_all(h);
}

/* Every newer one that has its place has an audience, and there is one.  One that
 * leaves before it had any is forsaken. */
static bool outranked(const struct held *h)
{
	bool any = false;

	list_each(n, &h->store->sockets, struct held, node) {
		if (!rebind_rivals(h, n) || n->number < h->number ||
		    (n->leaving && !n->audience))
			continue;
		if (!n->audience)
			return false;
		any = true;
	}
	return any;
}

/* Where nobody has an audience clients wait in the newest. */
static bool is_to_hear(const struct held *h)
{
	if (h->audience)
		return !outranked(h);
	list_each(o, &h->store->sockets, struct held, node)
		if (rebind_rivals(h, o) && (o->audience || o->number > h->number))
			return false;
	return true;
}

/* Once deaf it stays so where the system does not give hearing back. */
static bool may_be_deafened(const struct held *h)
{
	return can_deafen(h) || outranked(h);
}

static void yield(struct held *h)
{
	bool chosen = false;

	list_each(n, &h->store->sockets, struct held, node)
		if (!can_deafen(n) && rebind_rivals(h, n) && one_group(h, n)) {
			prefer(n, h, 1);
			chosen = true;
		}
	if (!chosen) {
		deafen(h);
		return;
	}
	h->deaf = true;
	h->deaf_since = loop_now(h->store->loop);
}

/* First they hear, then the others do not: at no moment nobody. */
void rebind_steer(struct store *s)
{
	bool rivals = false;

	if (!s->beside)
		return;
	list_each(h, &s->sockets, struct held, node)
		if (h->fd >= 0 && h->deaf && is_to_hear(h))
			hear(h);
	list_each(h, &s->sockets, struct held, node) {
		if (h->fd >= 0 && !h->deaf && !is_to_hear(h) && may_be_deafened(h))
			yield(h);
		rivals = rivals || (h->fd >= 0 && has_rival(h));
	}
	s->beside = rivals;
}

static bool under_way(const struct held *h)
{
	struct left_at at = { .sa = (const struct sockaddr *)&h->key.address.sa };

	if (h->key.type != SOCK_STREAM ||
	    loop_now(h->store->loop) - h->deaf_since >= HANDSHAKE_MS)
		return false;
	return platform_count_leftovers(&at, 1, NULL) < 0 || at.counts[TCP_SYN_RECV];
}

bool rebind_is_empty(const struct held *h)
{
	bool waiting = false;

	for (size_t i = 0; i < group_size(h); i++)
		waiting = waiting || platform_has_waiting(group_slot(h, i)->fd);
	return !h->deaf || (!waiting && !under_way(h));
}

static bool is_spoilt(const struct held *h)
{
	bool spoilt = false;

	for (size_t i = 0; i < group_size(h); i++) {
		heal_look(group_slot(h, i));
		spoilt = spoilt || group_slot(h, i)->spoilt;
	}
	return spoilt;
}

static struct held *renew(struct held *h)
{
	struct held *new;

	held_leave(h);
	new = store_add(h->store, &h->key, h->settings, h->index);
	held_ref(new);
	if (new->state != HELD_LISTENING) {
		log_error("socket %s: it is spoilt, and cannot be bound anew: %s",
			  h->settings->name, new->reason);
		held_unref(new);
		held_return(h);
		h->renewed = loop_now(h->store->loop);
		return h;
	}
	log_notice("socket %s: it was spoilt, and is bound anew", h->settings->name);
	held_unref(h);
	return new;
}

struct held *rebind_if_spoilt(struct held *h)
{
	if (!is_spoilt(h) || h->key.family == AF_UNIX || (h->group && !can_deafen(h)))
		return h;
	if (h->leaving)
		return store_claim(h->store, &h->key);
	if (h->state != HELD_LISTENING)
		return h;		/* whatever it was, it is bound anew */
	if (h->renewed && loop_now(h->store->loop) - h->renewed < RENEW_PAUSE_MS)
		return h;
	return renew(h);
}

const char *rebind_reason(const struct held *h)
{
	if (!has_rival(h))
		return NULL;
	if (!h->leaving)
		return h->deaf ? "takes over when a generation that has it is proved" : NULL;
	return h->deaf ? "another has taken its place; it is closed when its workers are gone"
		       : "serves until a generation has the one that is to take its place";
}

void rebind_open_door(struct held *h)
{
	if (!h->deaf || !can_deafen(h))
		return;
	hear(h);
	h->door = true;
	list_each(o, &h->store->sockets, struct held, node)
		if (rebind_rivals(h, o) && !o->deaf) {
			deafen(o);
			o->door = true;
		}
}

void rebind_close_door(struct held *h)
{
	if (!h->door)
		return;
	list_each(o, &h->store->sockets, struct held, node)
		if (o != h && o->door) {
			hear(o);
			o->door = false;
		}
	h->door = false;
	deafen(h);
}

/* Of two that hear, the kernel gives the new one what both could have. */
static bool new_is_preferred(const struct key *was, const struct claim *a, const struct key *now,
			     const struct claim *b)
{
	return (b->v4 == CLAIM_ONE && a->v4 == CLAIM_ALL) ||
	       (b->v6 == CLAIM_ONE && a->v6 == CLAIM_ALL) ||
	       (b->v4 == CLAIM_ALL && a->v4 == CLAIM_ALL && was->family == AF_INET6 &&
		now->family == AF_INET);
}

const char *rebind_risk(const struct key *was, const struct socket_settings *before,
			const struct key *now, const struct socket_settings *after,
			bool can_steer)
{
	struct claim a = claim_of((const struct sockaddr *)&was->address.sa,
				  socket_v6only(was, before));
	struct claim b = claim_of((const struct sockaddr *)&now->address.sa,
				  socket_v6only(now, after));

	if (now->type == SOCK_DGRAM && !address_same(&was->address, &now->address))
		return "datagrams that the old workers have not answered by then may be lost";
	if (can_steer || now->type == SOCK_DGRAM)
		return NULL;
	if (new_is_preferred(was, &a, now, &b) || (after->bind_device && !before->bind_device))
		return "without CAP_NET_RAW clients come to the new socket at once: they wait "
		       "until the new generation is ready, and are lost if it fails";
	if (address_same(&was->address, &now->address))
		return NULL;
	return "without CAP_NET_RAW nothing comes to the new socket before the new generation "
	       "is proved, so ready = tcp cannot prove it";
}
