/* One held socket takes the place of another: who hears, and what is left. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "socket_support.h"

#include "base/owner.h"
#include "config/option.h"
#include "loop/loop.h"
#include "platform/platform.h"
#include "socket/group.h"
#include "socket/open.h"
#include "socket/rebind.h"
#include "socket/store.h"

static struct store store;
static struct settings whole = { .references = 1000000 };

static void start(void)
{
	struct loop *loop = loop_new(NULL);

	assert_non_null(loop);
	store_init(&store, loop, NULL, NULL);
}

static void end(void)
{
	struct loop *loop = store.loop;

	store_fini(&store);
	loop_free(loop);
}

static struct held *hold(const char *text, int port, struct socket_settings *s)
{
	struct key key = key_for(text);
	struct held *h;

	s->whole = &whole;
	set_port(&key, port);
	if (s->mptcp)
		key.protocol = IPPROTO_MPTCP;
	h = store_add(&store, &key, s, 0);
	held_ref(h);
	return h;
}

/* Whose queue a client of this address is in: it is taken out again. */
static bool comes_to(const struct held *h, const char *text)
{
	struct key key = key_for(text);
	struct pollfd one = { .fd = h->fd, .events = POLLIN };
	int client, served;
	bool came;

	set_port(&key, address_port(&h->key.address));
	client = connect_to(&key);
	assert_true(client >= 0);
	came = poll(&one, 1, 0) == 1;
	list_each(o, &store.sockets, struct held, node) {
		for (size_t i = 0; i < group_size(o); i++) {
			one.fd = group_slot(o, i)->fd;
			if (poll(&one, 1, 0) == 1 && (served = accept(one.fd, NULL, NULL)) >= 0)
				(void)close(served);
		}
	}
	(void)close(client);
	return came;
}

static void serve(struct held *h, bool served)
{
	h->audience = served;
	rebind_steer(&store);
}

static bool may_share(const struct held *h)
{
	int fd = socket(h->key.family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, rc;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	rc = bind(fd, (const struct sockaddr *)&h->key.address.sa, h->key.address.length);
	if (rc == 0)
		rc = listen(fd, 1);
	fd_close(&fd);
	return rc == 0;
}

static const struct way {
	const char *name, *listen;
	int ipv6_only, mptcp;
	const char *device;
} ways[] = {
	{ "specific", "127.0.0.1:1", CHOICE_AUTO, 0, NULL },
	{ "specific, lo", "127.0.0.1:1", CHOICE_AUTO, 0, "lo" },
	{ "multipath", "127.0.0.1:1", CHOICE_AUTO, 1, NULL },
	{ "every IPv4", "0.0.0.0:1", CHOICE_AUTO, 0, NULL },
	{ "every IPv4, lo", "0.0.0.0:1", CHOICE_AUTO, 0, "lo" },
	{ "dual-stack", "*:1", CHOICE_AUTO, 0, NULL },
	{ "dual-stack, lo", "*:1", CHOICE_AUTO, 0, "lo" },
	{ "every IPv6", "[::]:1", CHOICE_YES, 0, NULL },
	{ "IPv6", "[::1]:1", CHOICE_AUTO, 0, NULL },
};

static struct socket_settings settings_of(const struct way *w)
{
	struct socket_settings s = UNSET_SETTINGS;

	s.ipv6_only = w->ipv6_only;
	s.mptcp = w->mptcp;
	s.bind_device = (char *)(uintptr_t)w->device;
	return s;
}

static const char *client_of(const struct way *one, const struct way *other)
{
	bool v6 = one->listen[0] == '[' || other->listen[0] == '[';

	return v6 ? "[::1]:1" : "127.0.0.1:1";
}

/* An address that both have; those that have none are no rivals. */
static bool meet(const struct way *one, const struct way *other)
{
	bool four = one->listen[0] == '1' || one->listen[0] == '0' ||
		    other->listen[0] == '1' || other->listen[0] == '0';
	bool six = one->listen[0] == '[' || other->listen[0] == '[';

	return !four || !six;
}

static bool has_multipath(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	bool has = fd >= 0;

	fd_close(&fd);
	return has;
}

/* From the one to the other, and what everybody meets on the way. */
static void change(const struct way *from, const struct way *to)
{
	struct socket_settings before = settings_of(from), after = settings_of(to);
	const char *client = client_of(from, to);
	struct held *old, *new;

	print_message("%s -> %s\n", from->name, to->name);
	start();
	old = hold(from->listen, free_port(), &before);
	assert_int_equal(old->state, HELD_LISTENING);
	held_leave(old);
	new = hold(to->listen, address_port(&old->key.address), &after);
	if (new->reason)
		print_message("%s\n", new->reason);
	assert_int_equal(new->state, HELD_LISTENING);
	serve(old, true);
	assert_true(comes_to(old, client) && comes_to(old, client));
	rebind_open_door(new);
	assert_true(comes_to(new, client));
	rebind_close_door(new);
	assert_true(comes_to(old, client));
	serve(new, true);
	assert_true(comes_to(new, client) && comes_to(new, client));
	assert_true(rebind_is_empty(old));
	serve(new, false);
	assert_true(comes_to(old, client));
	serve(new, true);
	held_unref(old);
	assert_true(comes_to(new, client));
	assert_false(new->shared);
	end();
}

static void each_way_leads_to_each_other(void **state)
{
	(void)state;
	if (!platform_can(CAN_STEER))
		skip();
	for (size_t i = 0; i < COUNT(ways); i++)
		for (size_t k = 0; k < COUNT(ways); k++)
			if (meet(&ways[i], &ways[k]) &&
			    (has_multipath() || !(ways[i].mptcp || ways[k].mptcp)))
				change(&ways[i], &ways[k]);
}

static void what_is_taken_back_leaves_the_old_one_as_it_was(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *old, *new;

	(void)state;
	start();
	old = hold("127.0.0.1:1", free_port(), &s);
	held_leave(old);
	new = hold("0.0.0.0:1", address_port(&old->key.address), &s);
	assert_int_equal(new->state, HELD_LISTENING);
	assert_true(may_share(old));
	held_return(old);
	held_unref(new);
	assert_true(comes_to(old, "127.0.0.1:1"));
	assert_false(may_share(old));
	end();
}

static void nobody_may_bind_beside_what_is_alone_again(void **state)
{
	static const char *const from_to[][2] = {
		{ "127.0.0.1:1", "127.0.0.1:1" }, { "127.0.0.1:1", "0.0.0.0:1" },
		{ "0.0.0.0:1", "127.0.0.1:1" },	  { "[::1]:1", "[::]:1" },
	};
	struct socket_settings s = UNSET_SETTINGS;

	(void)state;
	for (size_t i = 0; i < COUNT(from_to); i++) {
		struct held *old, *new;

		start();
		old = hold(from_to[i][0], free_port(), &s);
		held_leave(old);
		new = hold(from_to[i][1], address_port(&old->key.address), &s);
		serve(new, true);
		held_unref(old);
		assert_false(may_share(new));
		end();
	}
}

static void one_that_is_divided_hears_until_each_part_is_served(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *old, *one, *two;

	(void)state;
	if (!platform_can(CAN_STEER))
		skip();
	start();
	old = hold("*:1", free_port(), &s);
	held_leave(old);
	one = hold("127.0.0.1:1", address_port(&old->key.address), &s);
	two = hold("127.0.0.2:1", address_port(&old->key.address), &s);
	serve(old, true);
	assert_true(comes_to(old, "127.0.0.1:1") && comes_to(old, "127.0.0.2:1"));
	serve(one, true);
	assert_true(comes_to(one, "127.0.0.1:1") && comes_to(old, "127.0.0.2:1"));
	serve(two, true);
	assert_true(comes_to(one, "127.0.0.1:1") && comes_to(two, "127.0.0.2:1"));
	end();
}

static void two_that_become_one_are_deaf_at_once(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *one, *two, *new;

	(void)state;
	if (!platform_can(CAN_STEER))
		skip();
	start();
	one = hold("127.0.0.1:1", free_port(), &s);
	two = hold("127.0.0.2:1", address_port(&one->key.address), &s);
	held_leave(one);
	held_leave(two);
	new = hold("*:1", address_port(&one->key.address), &s);
	one->audience = two->audience = true;
	serve(new, true);
	assert_true(comes_to(new, "127.0.0.1:1") && comes_to(new, "127.0.0.2:1"));
	assert_true(one->deaf && two->deaf);
	end();
}

static void a_group_takes_the_place_of_one_as_a_whole(void **state)
{
	struct socket_settings s = UNSET_SETTINGS, many = UNSET_SETTINGS;
	struct held *old, *new;

	(void)state;
	if (!platform_can(CAN_STEER))
		skip();
	start();
	many.reuse_port = 1;
	many.worker_uid = (uid_t)-1;
	old = hold("127.0.0.1:1", free_port(), &s);
	held_leave(old);
	new = hold("127.0.0.1:1", address_port(&old->key.address), &many);
	group_grow(new, 3);
	serve(old, true);
	for (int i = 0; i < 20; i++)
		assert_true(comes_to(old, "127.0.0.1:1"));
	serve(new, true);
	for (int i = 0; i < 20; i++)
		assert_false(comes_to(old, "127.0.0.1:1"));
	end();
}

/* Of two that are deaf at one address one may be forsaken. */
static void two_that_are_deaf_at_once_are_of_no_group(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *old, *forsaken, *new;

	(void)state;
	if (!platform_can(CAN_STEER))
		skip();
	start();
	old = hold("127.0.0.1:1", free_port(), &s);
	held_leave(old);
	forsaken = hold("127.0.0.1:1", address_port(&old->key.address), &s);
	held_leave(forsaken);
	new = hold("127.0.0.1:1", address_port(&old->key.address), &s);
	serve(old, true);
	serve(new, true);
	for (int i = 0; i < 20; i++)
		assert_true(comes_to(new, "127.0.0.1:1"));
	assert_true(forsaken->deaf && old->deaf);
	end();
}

static void one_that_belongs_to_another_user_is_joined_as_him(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *old, *new;

	(void)state;
	if (geteuid() != 0)
		skip();
	start();
	old = hold("127.0.0.1:1", free_port(), &s);
	assert_int_equal(fchown(old->fd, 65534, (gid_t)-1), 0);
	held_leave(old);
	new = hold("*:1", address_port(&old->key.address), &s);
	assert_int_equal(new->state, HELD_LISTENING);
	end();
}

static void the_newest_hears_where_nobody_serves(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *old, *new;

	(void)state;
	start();
	old = hold("127.0.0.1:1", free_port(), &s);
	held_leave(old);
	new = hold("*:1", address_port(&old->key.address), &s);
	held_unref(old);	/* without a word about who serves */
	assert_true(comes_to(new, "127.0.0.1:1"));
	end();
}

static void a_client_in_the_queue_of_a_deaf_one_is_seen(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *old, *new;
	int client;

	(void)state;
	if (!platform_can(CAN_STEER))
		skip();
	start();
	old = hold("127.0.0.1:1", free_port(), &s);
	client = connect_to(&old->key);
	held_leave(old);
	new = hold("*:1", address_port(&old->key.address), &s);
	serve(new, true);
	assert_true(old->deaf);
	assert_false(rebind_is_empty(old));
	(void)close(accept(old->fd, NULL, NULL));
	assert_true(rebind_is_empty(old));
	(void)close(client);
	end();
}

/* With TCP_DEFER_ACCEPT a handshake lasts until the client speaks. */
static void a_handshake_under_way_is_waited_for_and_arrives(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct held *old, *new;
	int client;

	(void)state;
	if (!platform_can(CAN_STEER))
		skip();
	start();
	s.defer_accept = 30000;
	old = hold("127.0.0.1:1", free_port(), &s);
	client = connect_to(&old->key);
	held_leave(old);
	new = hold("*:1", address_port(&old->key.address), &s);
	serve(new, true);
	assert_false(platform_has_waiting(old->fd));
	assert_false(rebind_is_empty(old));
	assert_int_equal(write(client, "x", 1), 1);
	AWAIT(platform_has_waiting(old->fd));
	(void)close(accept(old->fd, NULL, NULL));
	(void)close(client);
	end();
}

/* A row that only bind can change is known to rebind_alike(), or is part of the key. */
static void every_row_of_a_rebind_is_accounted_for(void **state)
{
	static const char *const known[] = { "listen", "type", "ipv6_only", "exclusive",
					     "reuse_port", "free_bind", "transparent",
					     "bind_device", "mptcp" };

	(void)state;
	for (const struct option *o = options_socket; o->key; o++) {
		bool found = o->effect != EFFECT_REBIND;

		for (size_t i = 0; i < COUNT(known); i++)
			found = found || strcmp(known[i], o->key) == 0;
		if (!found)
			fail_msg("%s: who says whether it needs a bind?", o->key);
	}
}

static void what_bind_does_not_fix_is_alike(void **state)
{
	struct socket_settings a = UNSET_SETTINGS, b = UNSET_SETTINGS;
	struct key v4 = key_for("127.0.0.1:1"), v6 = key_for("[::1]:1"), any = key_for("*:1");

	(void)state;
	b.backlog = 7;
	b.ipv6_only = CHOICE_YES;
	assert_true(rebind_alike(&v4, &a, &b));
	assert_true(rebind_alike(&v6, &a, &b));
	assert_false(rebind_alike(&any, &a, &b));
	b = a;
	b.bind_device = (char *)(uintptr_t) "lo";
	assert_false(rebind_alike(&v4, &a, &b));
	b = a;
	b.transparent = 1;
	assert_false(rebind_alike(&v4, &a, &b));
	b = a;
	b.free_bind = 1;
	assert_false(rebind_alike(&v4, &a, &b));
	b = a;
	b.exclusive = CHOICE_YES;
	assert_false(rebind_alike(&v4, &a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_leads_to_each_other),
		cmocka_unit_test(what_is_taken_back_leaves_the_old_one_as_it_was),
		cmocka_unit_test(nobody_may_bind_beside_what_is_alone_again),
		cmocka_unit_test(one_that_is_divided_hears_until_each_part_is_served),
		cmocka_unit_test(two_that_become_one_are_deaf_at_once),
		cmocka_unit_test(a_group_takes_the_place_of_one_as_a_whole),
		cmocka_unit_test(two_that_are_deaf_at_once_are_of_no_group),
		cmocka_unit_test(one_that_belongs_to_another_user_is_joined_as_him),
		cmocka_unit_test(the_newest_hears_where_nobody_serves),
		cmocka_unit_test(a_client_in_the_queue_of_a_deaf_one_is_seen),
		cmocka_unit_test(a_handshake_under_way_is_waited_for_and_arrives),
		cmocka_unit_test(every_row_of_a_rebind_is_accounted_for),
		cmocka_unit_test(what_bind_does_not_fix_is_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
