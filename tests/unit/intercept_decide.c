/* What a worker that binds for itself is given. */
#include "intercept/decide.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "socket/group.h"
#include "socket_support.h"

enum { OURS, THEIRS, SIDES };

static struct store store;
static struct loop *loop;
static struct settings whole = { .references = 1 };
static struct socket_settings settings[SIDES];
static struct held *held[8];
static size_t count;
static int port;

/* Its port is p, or q for another one.  IPv4 in IPv6 is nothing that is written. */
static struct key key_at(const char *form)
{
	static const char mapped[] = "[::ffff:127.0.0.1]:p";
	const char *from = strcmp(form, mapped) == 0 ? "[::1]:p" : form;
	char text[64];
	struct key key;
	struct sockaddr_in6 *in6 = (void *)&key.address.sa;

	(void)snprintf(text, sizeof(text), "%.*s%d", (int)strlen(from) - 1, from,
		       port + (form[strlen(form) - 1] == 'q'));
	key = key_for(text);
	if (from != form)
		(void)inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6->sin6_addr);
	return key;
}

static struct held *permit(int side, const char *form)
{
	struct key key = key_at(form);

	held[count] = store_add(&store, &key, &settings[side], 0);
	held_ref(held[count]);
	return held[count++];
}

static struct asked asked_at(const char *form, bool v6only)
{
	return (struct asked){ .key = key_at(form), .v6only = v6only };
}

/* A worker's own socket, bound for it and held. */
static struct held *worker_binds(struct held *by, const char *form, int v6only)
{
	struct key key = key_at(form);
	int fd = socket(key.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err = { 0 };
	struct held *h;

	if (key.family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(int)), 0);
	h = held_bind_own(by, &key, fd, &err);
	if (!h)
		fail_msg("%s", err.text);
	return h;
}

static struct decision decide(size_t permits, const char *form, bool v6only)
{
	struct permits ours = { held, permits };
	struct asked asked = asked_at(form, v6only);

	return decide_bind(&store, &ours, &asked);
}

static int begin(void **state)
{
	struct err err;

	(void)state;
	loop = loop_new(&err);
	store_init(&store, loop, NULL, NULL);
	count = 0;
	port = free_port();
	for (int i = 0; i < SIDES; i++) {
		settings[i] = UNSET_SETTINGS;
		settings[i].whole = &whole;
		settings[i].by_worker = true;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		held_unref(held[i]);
	store_fini(&store);
	loop_free(loop);
	return 0;
}

#define EXPECT(d, what, which)                                            \
	do {                                                              \
		struct decision d_ = (d);                                 \
		assert_int_equal(d_.answer, BIND_##what);                 \
		assert_ptr_equal(d_.held, which);                         \
	} while (0)

/* permission, bind, IPv6 alone, is it covered? */
static const struct {
	const char *permit, *bind;
	bool v6only, covered;
} rows[] = {
	{ "127.0.0.1:p", "127.0.0.1:p", false, true },
	{ "127.0.0.1:p", "[::ffff:127.0.0.1]:p", false, true },
	{ "127.0.0.1:p", "127.0.0.2:p", false, false },
	{ "127.0.0.1:p", "0.0.0.0:p", false, false },
	{ "127.0.0.1:p", "[::]:p", false, false },
	{ "0.0.0.0:p", "127.0.0.1:p", false, true },
	{ "0.0.0.0:p", "[::]:p", false, false },
	{ "0.0.0.0:p", "[::]:p", true, false },
	{ "[::1]:p", "[::1]:p", false, true },
	{ "[::]:p", "[::1]:p", false, true },
	{ "[::]:p", "[::]:p", true, true },
	{ "[::]:p", "[::]:p", false, false },
	{ "*:p", "0.0.0.0:p", false, true },
	{ "*:p", "127.0.0.1:p", false, true },
	{ "*:p", "[::1]:p", false, true },
	{ "*:p", "[::]:p", false, true },
	{ "*:p", "[::]:p", true, true },
	{ "*:p", "127.0.0.1:q", false, false },
};

static void an_address_covers_what_is_part_of_it(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct decision d;

		permit(OURS, rows[i].permit);
		d = decide(1, rows[i].bind, rows[i].v6only);
		if ((d.answer == BIND_MAKE) != rows[i].covered)
			fail_msg("%s, bind of %s: %d", rows[i].permit, rows[i].bind, d.answer);
		(void)end(state);
		(void)begin(state);
	}
}

static void what_is_held_is_given_for_exactly_the_same(void **state)
{
	struct held *by = permit(OURS, "*:p");
	struct held *v4 = worker_binds(by, "0.0.0.0:p", 0);
	struct held *v6 = worker_binds(by, "[::]:p", 1);

	(void)state;
	EXPECT(decide(1, "0.0.0.0:p", false), HAND, v4);
	EXPECT(decide(1, "[::]:p", true), HAND, v6);
	assert_ptr_not_equal(v4, by);
	assert_ptr_equal(v6, by);	/* the address of the permission itself */
}

static void never_a_socket_of_another_family(void **state)
{
	struct held *by = permit(OURS, "*:p");
	struct held *both = worker_binds(by, "[::]:p", 0);

	(void)state;
	EXPECT(decide(1, "[::]:p", false), HAND, both);
	EXPECT(decide(1, "0.0.0.0:p", false), REFUSE, both);
	EXPECT(decide(1, "[::]:p", true), REFUSE, both);
}

static void a_specific_ipv6_address_has_one_reach(void **state)
{
	struct held *by = permit(OURS, "[::1]:p");
	struct held *h = worker_binds(by, "[::1]:p", 0);

	(void)state;
	EXPECT(decide(1, "[::1]:p", false), HAND, h);
	EXPECT(decide(1, "[::1]:p", true), HAND, h);
}

static void what_is_anothers_is_refused_bound_or_not(void **state)
{
	struct held *other;

	(void)state;
	permit(OURS, "127.0.0.2:p");
	other = permit(THEIRS, "127.0.0.1:p");
	EXPECT(decide(1, "127.0.0.1:p", false), REFUSE, other);
	EXPECT(decide(1, "0.0.0.0:p", false), REFUSE, other);
	(void)worker_binds(other, "127.0.0.1:p", 0);
	EXPECT(decide(1, "127.0.0.1:p", false), REFUSE, other);
}

static void more_than_is_permitted_is_named_with_its_permission(void **state)
{
	struct held *by = permit(OURS, "127.0.0.1:p");

	(void)state;
	EXPECT(decide(1, "0.0.0.0:p", false), LET, by);
	EXPECT(decide(1, "127.0.0.2:p", false), LET, NULL);
}

static void another_type_is_another_matter(void **state)
{
	struct asked asked;
	struct permits ours = { held, 1 };

	(void)state;
	permit(OURS, "127.0.0.1:p");
	asked = asked_at("127.0.0.1:p", false);
	key_make(&asked.key.address, SOCK_DGRAM, 0, &asked.key);
	EXPECT(decide_bind(&store, &ours, &asked), LET, NULL);
}

static void multipath_is_given_what_is_held(void **state)
{
	struct asked asked;
	struct permits ours = { held, 1 };
	struct held *h;

	(void)state;
	h = worker_binds(permit(OURS, "127.0.0.1:p"), "127.0.0.1:p", 0);
	asked = asked_at("127.0.0.1:p", false);
	asked.key.protocol = IPPROTO_MPTCP;
	EXPECT(decide_bind(&store, &ours, &asked), HAND, h);
}

static void a_worker_of_a_group_is_given_its_own_slot(void **state)
{
	struct held *leader, *slot;
	struct permits ours = { &slot, 1 };
	struct asked asked = asked_at("127.0.0.1:p", false);

	(void)state;
	settings[OURS].by_worker = false;
	settings[OURS].reuse_port = true;
	leader = permit(OURS, "127.0.0.1:p");
	group_grow(leader, 2);
	slot = group_slot(leader, 1);
	EXPECT(decide_bind(&store, &ours, &asked), HAND, slot);
	assert_ptr_equal(decide_which(&store, &ours, slot->inode), slot);
	assert_null(decide_which(&store, &ours, leader->inode));
}

static void a_listen_is_known_by_its_socket(void **state)
{
	struct held *by = permit(OURS, "*:p"), *other = permit(THEIRS, "127.0.0.1:1");
	struct held *h = worker_binds(by, "127.0.0.1:p", 0);
	struct permits ours = { held, 1 }, theirs = { held + 1, 1 };

	(void)state;
	assert_ptr_equal(decide_which(&store, &ours, h->inode), h);
	assert_null(decide_which(&store, &theirs, h->inode));
	assert_null(decide_which(&store, &ours, 0));
	assert_int_equal(decide_permit(&ours, h), 0);
	assert_int_equal(decide_permit(&ours, other), -1);
}

static void what_workers_bound_goes_with_its_permission(void **state)
{
	struct held *by = permit(OURS, "*:p");
	struct key key = key_at("127.0.0.1:p");

	(void)state;
	(void)worker_binds(by, "127.0.0.1:p", 0);
	assert_true(held_is_parted(by));
	assert_true(connect_to(&key) >= 0);
	held_unref(by);
	count = 0;
	assert_true(list_empty(&store.sockets));
	assert_int_equal(connect_to(&key), -1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_address_covers_what_is_part_of_it),
		CASE(what_is_held_is_given_for_exactly_the_same),
		CASE(never_a_socket_of_another_family),
		CASE(a_specific_ipv6_address_has_one_reach),
		CASE(what_is_anothers_is_refused_bound_or_not),
		CASE(more_than_is_permitted_is_named_with_its_permission),
		CASE(another_type_is_another_matter),
		CASE(multipath_is_given_what_is_held),
		CASE(a_worker_of_a_group_is_given_its_own_slot),
		CASE(a_listen_is_known_by_its_socket),
		CASE(what_workers_bound_goes_with_its_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
