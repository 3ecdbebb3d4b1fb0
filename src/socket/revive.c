/* Sockets of an earlier manager, held again as they were. */
#include "base/mem.h"
#include "platform/platform.h"
#include "socket/group.h"
#include "socket/store.h"

void store_give_back(struct store *s, int fd, const struct key *key, unsigned kept)
{
	struct given *g = MEM_NEW(struct given);

	*g = (struct given){ .fd = fd, .key = *key, .name = mem_text("kept"),
			     .origin = ORIGIN_RECOVERED, .kept = kept };
	list_append(&s->given, &g->node);
}

struct held *store_revive(struct store *s, const struct key *key,
			  const struct socket_settings *settings, unsigned index, int fd,
			  const struct held_memory *m)
{
	struct held *h = held_new(s, key, settings, index, NULL);

	h->number = m->number;
	h->kept = m->kept;
	h->own_path = m->own_path;
	h->leaving = h->shared = m->leaving;
	/* What was written of it may be older than what was done to it. */
	h->deaf = m->deaf || platform_is_deaf(fd);
	h->deaf_since = loop_now(s->loop);
	h->revived = !m->by_worker;
	h->references = h->revived;
	h->seeks_permit = m->by_worker;
	if (s->last_number < m->number)
		s->last_number = m->number;
	s->beside = s->beside || h->leaving || h->deaf;
	list_append(&s->sockets, &h->node);
	if (settings->reuse_port)
		h->group = group_new(h);
	held_take(h, fd);
	h->origin = m->inherited ? ORIGIN_INHERITED : ORIGIN_RECOVERED;
	if (!m->own_path)
		h->path = (struct unix_path){ .inode = 0 };
	if (h->group)
		held_claim_slots(h);
	h->bindings -= m->by_worker;
	return h;
}

void store_find_permits(struct store *s)
{
	list_each_safe(h, &s->sockets, struct held, node) {
		struct key key;

		if (!h->seeks_permit)
			continue;
		h->seeks_permit = false;
		key_of_address(h->settings, h->index, &key);
		h->permit = store_claim(s, &key);
		if (!h->permit || h->permit == h) {
			h->permit = NULL;
			held_close(h);
		}
	}
}

void store_revived(struct store *s)
{
	list_each_safe(h, &s->sockets, struct held, node)
		if (h->revived) {
			h->revived = false;
			held_unref(h);
		}
}

void held_remember(const struct held *h, struct held_memory *ret)
{
	*ret = (struct held_memory){
		.kept = h->kept, .number = h->number, .leaving = h->leaving, .deaf = h->deaf,
		.own_path = h->path.inode != 0, .by_worker = h->permit, .inherited = h->origin == ORIGIN_INHERITED,
	};
}

struct held *store_by_kept(struct store *s, unsigned kept)
{
	list_each(h, &s->sockets, struct held, node)
		if (kept && h->kept == kept)
			return h;
	return NULL;
}
