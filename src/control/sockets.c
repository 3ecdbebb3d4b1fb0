/* Sockets: every held socket by its key, who is connected, who holds a copy.
 *
 * That takes a walk over all processes.  The loop stands still meanwhile, so the
 * walk is short (WALK_MS) and there is a pause between two of them (PAUSE_MS),
 * however often and by however many it is asked for. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/owner.h"
#include "control/control.h"
#include "control/count.h"
#include "control/json_text.h"
#include "platform/platform.h"
#include "socket/group.h"
#include "socket/heal.h"

enum { WALK_MS = 150, PAUSE_MS = 450, PAUSE_SHARE = 9, COPIES_MOST = 10000, ANCESTORS_MOST = 32 };

static const char *const tcp_states[] = {
	[TCP_ESTABLISHED] = "established", [TCP_SYN_SENT] = "syn_sent",
	[TCP_SYN_RECV] = "syn_recv",	   [TCP_FIN_WAIT1] = "fin_wait_1",
	[TCP_FIN_WAIT2] = "fin_wait_2",	   [TCP_TIME_WAIT] = "time_wait",
	[TCP_CLOSE_WAIT] = "close_wait",   [TCP_LAST_ACK] = "last_ack",
	[TCP_CLOSING] = "closing",
};

static const char *family_word(int family)
{
	return family == AF_INET ? "inet" : family == AF_INET6 ? "inet6" : "unix";
}

static const char *protocol_word(const struct key *k)
{
	if (k->family == AF_UNIX)
		return NULL;
	return k->protocol == IPPROTO_MPTCP ? "mptcp" : k->type == SOCK_DGRAM ? "udp" : "tcp";
}

static json_t *key_json(const struct key *k)
{
	char address[ADDRESS_TEXT_SIZE];

	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:i}",
			 "namespace", k->namespace ? json_integer((json_int_t)k->namespace)
						   : json_null(),
			 "family", family_word(k->family),
			 "type", k->type == SOCK_DGRAM ? "datagram" : "stream",
			 "protocol", json_text(protocol_word(k)),
			 "address", json_text(address_text(&k->address, address)),
			 "slot", k->slot);
}

/* The sockets of an answer, and what is connected at their addresses. */
struct list_of_held {
	const struct held **all;
	struct left_at *left;
	size_t count;
	bool can_tell;
};

static void list_add(struct list_of_held *l, const struct held *h)
{
	l->all = mem_grow(l->all, l->count + 1, sizeof(*l->all));
	l->left = mem_grow(l->left, l->count + 1, sizeof(*l->left));
	l->all[l->count] = h;
	l->left[l->count++] = (struct left_at){
		.sa = (const struct sockaddr *)&h->key.address.sa,
	};
}

static void list_fini(struct list_of_held *l)
{
	free(l->all);
	free(l->left);
}

/* States without a connection are left out; null: the system cannot tell.  Those of
 * a group are at one address, and told of its first slot. */
static json_t *connections_json(const struct list_of_held *l, size_t i)
{
	const struct key *k = &l->all[i]->key;
	const unsigned *counts = l->left[i].counts;
	json_t *all;

	if (k->family == AF_UNIX || k->type != SOCK_STREAM || k->slot || !l->can_tell)
		return json_null();
	all = json_object();
	for (size_t s = 0; s < COUNT(tcp_states); s++)
		if (tcp_states[s] && counts[s])
			(void)json_object_set_new(all, tcp_states[s], json_integer(counts[s]));
	return all;
}

static json_t *detail_json(const struct list_of_held *l, size_t i, const struct counting *counting)
{
	const struct held *h = l->all[i];
	json_t *j = socket_json(h);

	(void)json_object_set_new(j, "key", key_json(&h->key));
	(void)json_object_set_new(j, "connections", connections_json(l, i));
	(void)json_object_set_new(j, "workers", counting_json(counting, h));
	(void)json_object_set_new(j, "copies", json_null());
	return j;
}

/* The walk, and what it finds. */
struct look {
	struct control *control;
	json_t *sockets;
	size_t told;
	pid_t pid;			/* whose holder is known */
	const char *holder;
};

static const char *member_name(const struct control *c, pid_t pid)
{
	list_each(p, &c->rollout->programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (m->worker.pid == pid)
					return m->name;
	return NULL;
}

const char *control_holder(const struct control *c, pid_t pid)
{
	const char *name = NULL;
	struct control_facts facts;

	c->ops->facts(c->ctx, &facts);
	if (pid == facts.keeper)
		return "keeper";
	for (int i = 0; !name && pid > 1 && i < ANCESTORS_MOST; i++) {
		if (pid == getpid())
			return i ? NULL : "supervisor";
		name = member_name(c, pid);
		pid = name ? pid : platform_parent(pid);
	}
	return name;
}

static bool on_copy(const struct socket_copy *copy, void *ctx)
{
	struct look *l = ctx;
	json_t *socket;
	size_t i;

	if (l->pid != copy->pid)
		l->holder = control_holder(l->control, copy->pid);
	l->pid = copy->pid;
	json_array_foreach(l->sockets, i, socket) {
		if ((unsigned long)json_integer_value(json_object_get(socket, "inode")) !=
		    copy->inode)
			continue;
		(void)json_array_append_new(
			json_object_get(socket, "copies"),
			json_pack("{s:i, s:o, s:o, s:i}", "pid", (int)copy->pid,
				  "program", json_text(*copy->program ? copy->program : NULL),
				  "holder", json_text(l->holder), "descriptor", copy->fd));
	}
	return ++l->told >= COPIES_MOST;
}

/* Whether everything was seen. */
static bool find_copies(struct control *c, json_t *sockets)
{
	size_t count = json_array_size(sockets), inodes = 0, i;
	unsigned long *wanted = mem_new((count + 1) * sizeof(*wanted));
	struct look l = { .control = c, .sockets = sockets };
	struct err err;
	json_t *socket;
	int rc;

	json_array_foreach(sockets, i, socket) {
		json_int_t inode = json_integer_value(json_object_get(socket, "inode"));

		(void)json_object_set_new(socket, "copies", json_array());
		if (inode)
			wanted[inodes++] = (unsigned long)inode;
	}
	rc = inodes ? platform_socket_copies(wanted, inodes, WALK_MS, on_copy, &l, &err) : 1;
	if (rc < 0)
		json_array_foreach(sockets, i, socket)
			(void)json_object_set_new(socket, "copies", json_null());
	free(wanted);
	return rc > 0;
}

static bool is_named(json_t *names, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	return !json_array_size(names);
}

static bool exists(const struct store *s, const char *name)
{
	list_each(h, &s->sockets, struct held, node)
		if (strcmp(h->settings->name, name) == 0)
			return true;
	return false;
}

/* False: answered. */
static bool check_names(struct call *c, json_t *names)
{
	json_t *one;
	size_t i;

	if (names && !json_is_null(names) && !json_is_array(names)) {
		bad_parameter(c, "names");
		return false;
	}
	json_array_foreach(names, i, one) {
		const char *name = json_string_value(one);

		if (name && exists(control_of(c)->store, name))
			continue;
		if (name)
			call_error(c, "io.holdport.NoSuchSocket", json_pack("{s:s}", "name", name));
		else
			bad_parameter(c, "names");
		return false;
	}
	return true;
}

static bool is_listed(json_t *names, const struct held *h)
{
	return is_named(names, h->settings->name) && !held_is_parted(h);
}

static void list_named(struct list_of_held *l, struct store *store, json_t *names)
{
	list_each(h, &store->sockets, struct held, node)
		for (size_t i = 0; i < group_size(h) && is_listed(names, h); i++) {
			heal_look(group_slot(h, i));
			list_add(l, group_slot(h, i));
		}
	l->can_tell = platform_count_leftovers(l->left, l->count, NULL) == 0;
}

static json_t *details_json(struct control *c, json_t *names)
{
	struct counting counting = { 0 };
	struct list_of_held list = { 0 };
	json_t *sockets = json_array();

	list_each(p, &c->rollout->programs, struct program, node)
		counting_add(&counting, p);
	counting_by_socket(&counting, c);
	list_named(&list, c->store, names);
	for (size_t i = 0; i < list.count; i++)
		(void)json_array_append_new(sockets, detail_json(&list, i, &counting));
	list_fini(&list);
	counting_fini(&counting);
	return sockets;
}

static void answer(struct call *call, json_t *names)
{
	struct control *c = control_of(call);
	json_t *sockets = details_json(c, names);
	bool all_seen = find_copies(c, sockets);

	c->walked = loop_now(c->store->loop);
	call_reply(call, json_pack("{s:o, s:b}", "sockets", sockets, "all_seen", all_seen));
}

/* A request that waits until the pause is over. */
struct waiting {
	struct call *call;
	json_t *names;
	struct loop_timer timer;
};

static void forget(struct call *c)
{
	struct waiting *w = c->data;

	loop_timer_stop(&w->timer);
	json_decref(w->names);
	free(w);
}

static void ask(struct call *call, json_t *names);

static void on_pause_over(struct loop_timer *t)
{
	struct waiting *w = OWNER(t, struct waiting, timer);
	struct call *call = w->call;
	json_t *names = json_incref(w->names);

	forget(call);
	call->forget = NULL;
	if (check_names(call, names))
		ask(call, names);
	json_decref(names);
}

static void ask(struct call *call, json_t *names)
{
	struct control *c = control_of(call);
	int64_t pause = c->walked ? c->walked + PAUSE_MS + PAUSE_SHARE * c->counting_took -
				    loop_now(c->store->loop) : 0;
	struct waiting *w;

	if (pause <= 0) {
		answer(call, names);
		return;
	}
	w = MEM_NEW(struct waiting);
	w->call = call;
	w->names = json_incref(names);
	call->data = w;
	call->forget = forget;
	loop_timer_start(c->store->loop, &w->timer, pause, on_pause_over);
}

void describe_sockets(struct call *c, json_t *parameters)
{
	json_t *names = json_object_get(parameters, "names");

	if (check_names(c, names))
		ask(c, names);
}
