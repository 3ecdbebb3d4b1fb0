#include "intercept/decide.h"

#include "socket/open.h"

int decide_permit(const struct permits *permits, struct held *h)
{
	for (size_t i = 0; i < permits->count; i++)
		if (permits->items[i] == held_configured(h))
			return (int)i;
	return -1;
}

/* bind(2) makes every IPv6 socket but that of the wildcard IPv6-only. */
static bool is_wildcard(const struct key *key)
{
	const struct sockaddr_in6 *in6 = (const void *)&key->address.sa;

	return key->family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

static bool is_same(const struct held *h, const struct asked *asked)
{
	struct key other = asked->key;

	other.slot = h->key.slot;
	return h->fd >= 0 && key_same_address(&h->key, &other) &&
	       (!is_wildcard(&h->key) || held_v6only(h) == asked->v6only);
}

static bool meets(const struct held *h, const struct asked *asked)
{
	struct key other = asked->key;

	if (key_same_address(&h->key, &asked->key))
		return true;
	other.slot = h->key.slot;
	return key_overlaps(&h->key, held_v6only(h), &other, asked->v6only);
}

static struct held *find_same(struct store *store, const struct permits *permits,
			      const struct asked *asked)
{
	for (size_t i = 0; i < permits->count; i++)	/* a slot of a group is in no list */
		if (is_same(permits->items[i], asked))
			return permits->items[i];
	list_each(h, &store->sockets, struct held, node)
		if (decide_permit(permits, h) >= 0 && is_same(h, asked))
			return h;
	return NULL;
}

/* One that was written just so is preferred to one that covers it. */
static struct held *find_permit(const struct permits *permits, const struct asked *asked)
{
	struct held *found = NULL;

	for (size_t i = 0; i < permits->count; i++) {
		struct held *h = permits->items[i];
		bool reach = socket_v6only(&h->key, h->settings);

		if (!key_covers(&h->key, reach, &asked->key, asked->v6only))
			continue;
		if (key_same_address(&h->key, &asked->key))
			return h;
		found = h;
	}
	return found;
}

/* Held, or another program's to bind. */
static struct held *find_in_the_way(struct store *store, const struct permits *permits,
				    const struct asked *asked)
{
	list_each(h, &store->sockets, struct held, node)
		if ((h->fd >= 0 || decide_permit(permits, h) < 0) && !held_is_parted(h) &&
		    meets(h, asked))
			return h;
	return NULL;
}

static struct held *find_exceeded(const struct permits *permits, const struct asked *asked)
{
	for (size_t i = 0; i < permits->count; i++)
		if (meets(permits->items[i], asked))
			return permits->items[i];
	return NULL;
}

struct decision decide_bind(struct store *store, const struct permits *permits,
			    const struct asked *asked)
{
	struct held *same = find_same(store, permits, asked);
	struct held *in_the_way, *permit;

	if (same)
		return (struct decision){ BIND_HAND, same };
	in_the_way = find_in_the_way(store, permits, asked);
	if (in_the_way)
		return (struct decision){ BIND_REFUSE, in_the_way };
	permit = find_permit(permits, asked);
	if (permit)
		return (struct decision){ BIND_MAKE, permit };
	return (struct decision){ BIND_LET, find_exceeded(permits, asked) };
}

struct held *decide_which(struct store *store, const struct permits *permits,
			  unsigned long inode)
{
	for (size_t i = 0; i < permits->count; i++)
		if (permits->items[i]->fd >= 0 && permits->items[i]->inode == inode)
			return permits->items[i];
	list_each(h, &store->sockets, struct held, node)
		if (h->fd >= 0 && h->inode == inode && decide_permit(permits, h) >= 0)
			return h;
	return NULL;
}
