#include "socket/store.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "socket/anchor.h"
#include "socket/group.h"
#include "socket/held.h"

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

void store_forget_given(struct given *g)
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
		store_forget_given(g);
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

struct given *store_given(struct store *s, const struct key *key)
{
	list_each(g, &s->given, struct given, node)
		if (key_same(&g->key, key))
			return g;
	list_each(g, &s->given, struct given, node)
		if (stands_for_any(&g->key, key))
			return g;
	return NULL;
}

void store_fini(struct store *s)
{
	s->changed = NULL;
	s->closing = NULL;
	list_each_safe(g, &s->given, struct given, node)
		store_forget_given(g);
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
