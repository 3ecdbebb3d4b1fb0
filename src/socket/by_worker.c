/* What is left to workers to bind (handoff = intercept). */
#include "base/fd.h"
#include "socket/group.h"
#include "socket/open.h"
#include "socket/store.h"

bool held_awaits_worker(const struct held *h)
{
	return h->state == HELD_WAITING && h->settings->by_worker && !h->why;
}

struct held *held_configured(struct held *h)
{
	return h->permit ? h->permit : h;
}

bool held_v6only(const struct held *h)
{
	return h->fd >= 0 && h->key.family == AF_INET6 ? socket_is_v6only(h->fd)
						       : socket_v6only(&h->key, h->settings);
}

bool held_is_parted(const struct held *h)
{
	list_each(o, &h->store->sockets, struct held, node)
		if (o->permit == h)
			return held_awaits_worker(h);
	return false;
}

void held_close_permitted(const struct held *permit)
{
	list_each_safe(h, &permit->store->sockets, struct held, node)
		if (h->permit == permit)
			held_close(h);
}

static struct held *permitted(struct held *permit, const struct key *key)
{
	struct held *h;

	if (held_awaits_worker(permit) && key_same_address(&permit->key, key))
		return permit;
	h = held_new(permit->store, key, permit->settings, permit->index, NULL);
	h->permit = permit;
	list_insert_after(&permit->node, &h->node);
	return h;
}

/* Not counted as bound anew: no worker has an older one. */
struct held *held_bind_own(struct held *permit, const struct key *key, int fd, struct err *err)
{
	struct held *h;

	if (socket_bind_own(fd, key, permit->settings, err) < 0) {
		fd_close(&fd);
		return NULL;
	}
	h = permitted(permit, key);
	held_take(h, fd);
	h->bindings--;
	return h;
}
