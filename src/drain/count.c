#include "drain/count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/count.h"

enum {
	WALK_MS = 250,		/* the loop stands still so long at most */
	FRESH_MS = 450,
	SHARE = 9,		/* a tenth of the time, at most, is spent on counting */
};

/* The question, as the platform wants it. */
struct question {
	const struct held **held;
	struct count_socket *sockets;
	size_t socket_count;
	struct count_worker *workers;
	int *by_socket;			/* socket_count for each worker */
};

static bool takes_connections(const struct held *h)
{
	return h->key.type != SOCK_DGRAM;
}

static void add_sockets(struct question *q, struct store *store)
{
	list_each(h, &store->sockets, struct held, node) {
		size_t n = q->socket_count;

		if (!takes_connections(h))
			continue;
		q->held = mem_grow(q->held, n + 1, sizeof(struct held *));
		q->sockets = mem_grow(q->sockets, n + 1, sizeof(*q->sockets));
		q->held[n] = h;
		q->sockets[n] = (struct count_socket){
			.sa = (const struct sockaddr *)&h->key.address.sa,
			.length = h->key.address.length, .inode = h->inode,
		};
		q->socket_count++;
	}
}

/* The one we started is a zombie once its work goes on in another. */
static void set_pids(const struct worker *w, struct count_worker *ret)
{
	ret->pids[0] = w->pid;
	ret->pids[1] = w->followed || w->process.pid == w->pid ? 0 : w->process.pid;
}

static void add_workers(struct question *q, const struct counted *list, size_t count)
{
	q->workers = mem_new((count + 1) * sizeof(*q->workers));
	q->by_socket = mem_new((count * q->socket_count + 1) * sizeof(int));
	for (size_t i = 0; i < count; i++) {
		set_pids(list[i].worker, &q->workers[i]);
		if (list[i].by_held)
			q->workers[i].by_socket = q->by_socket + i * q->socket_count;
	}
}

/* Slots of a group have one address, by which a connection is found: in the store,
 * the first one stands for all.  A permission stands for what workers bound by it. */
static bool at_one_address(const struct held *a, const struct held *b)
{
	return a == b || (a->group && a->group == b->group) || b->permit == a;
}

/* The one of these that a connection counts for: it may look as if it had come by
 * another, while an address is bound anew, wider or narrower. */
static const struct held *stands_for(const struct counted *c, const struct held *h)
{
	const struct held *other = NULL;

	for (size_t i = 0; i < c->held_count; i++) {
		if (at_one_address(c->held[i], h))
			return c->held[i];
		if (!other && (key_same(&c->held[i]->key, &h->key) ||
			       key_overlaps(&c->held[i]->key, false, &h->key, false)))
			other = c->held[i];
	}
	return other;
}

static void add_by_held(const struct question *q, const struct count_worker *w,
			const struct counted *c)
{
	for (size_t i = 0; i < c->held_count; i++)
		c->by_held[i] = takes_connections(c->held[i]) && w->connections >= 0 ? 0 : -1;
	for (size_t k = 0; w->connections > 0 && k < q->socket_count; k++) {
		const struct held *h = w->by_socket[k] ? stands_for(c, q->held[k]) : NULL;

		for (size_t i = 0; h && i < c->held_count; i++)
			if (c->held[i] == h)
				c->by_held[i] += w->by_socket[k];
	}
}

/* Datagrams come without a connection: nobody sees when that is over. */
static void take_answer(const struct question *q, const struct count_worker *w,
			const struct counted *c)
{
	bool takes_any = false, datagrams = false;

	for (size_t i = 0; i < c->held_count; i++) {
		takes_any = takes_any || takes_connections(c->held[i]);
		datagrams = datagrams || !takes_connections(c->held[i]);
	}
	if (c->by_held)
		add_by_held(q, w, c);
	c->ret->connections = takes_any ? w->connections : -1;
	c->ret->listens = w->listens || datagrams;
}

static void cannot_be_seen(const struct counted *c, int64_t now)
{
	*c->ret = (struct count){ .at = now, .connections = -1, .listens = true };
	for (size_t i = 0; c->by_held && i < c->held_count; i++)
		c->by_held[i] = -1;
}

int count_workers(struct store *store, const struct counted *list, size_t count,
		  struct err *err)
{
	struct question q = { 0 };
	int rc;

	add_sockets(&q, store);
	add_workers(&q, list, count);
	rc = platform_count_connections(q.sockets, q.socket_count, q.workers, count, WALK_MS, err);
	for (size_t i = 0; i < count; i++) {
		cannot_be_seen(&list[i], loop_now(store->loop));
		if (rc == 0)
			take_answer(&q, &q.workers[i], &list[i]);
	}
	free(q.held);
	free(q.sockets);
	free(q.workers);
	free(q.by_socket);
	return rc;
}

bool count_is_fresh(const struct count *c, int64_t now, int64_t cost_ms)
{
	int64_t keeps = SHARE * cost_ms > FRESH_MS ? SHARE * cost_ms : FRESH_MS;

	return c->at && now - c->at < keeps;
}
