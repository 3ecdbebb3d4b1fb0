/* What is the same socket, what is in another one's way: asked of our rules and
 * of the kernel. */
#include "socket_support.h"

#include "base/owner.h"

/* Addresses as a socket may claim them; the port is the kernel's choice. */
static const struct kind {
	const char *text;
	bool v6only;
} kinds[] = {
	{ "0.0.0.0:1",	 false },
	{ "127.0.0.1:1", false },
	{ "127.0.0.2:1", false },
	{ "[::]:1",	 true },
	{ "[::]:1",	 false },
	{ "[::1]:1",	 true },
};

static int bind_as(struct key *key, bool v6only)
{
	int fd = socket(key->family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, only = v6only;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (key->family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (bind(fd, (struct sockaddr *)&key->address.sa, key->address.length) < 0 ||
	    listen(fd, 1) < 0)
		fd_close(&fd);
	return fd;
}

static void our_rules_are_the_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds) * COUNT(kinds); i++) {
		const struct kind *a = &kinds[i / COUNT(kinds)], *b = &kinds[i % COUNT(kinds)];
		struct key one = key_for(a->text), other = key_for(b->text);
		int first, second, port = free_port();
		bool refused, expected;

		set_port(&one, port);
		set_port(&other, port);
		first = bind_as(&one, a->v6only);
		assert_true(first >= 0);
		second = bind_as(&other, b->v6only);
		refused = second < 0;
		expected = key_same(&one, &other) ||
			   key_overlaps(&one, a->v6only, &other, b->v6only);
		if (refused != expected)
			fail_msg("%s v6only=%d then %s v6only=%d: the kernel %s", a->text,
				 a->v6only, b->text, b->v6only, refused ? "refuses" : "allows");
		fd_close(&first);
		fd_close(&second);
	}
}

static void an_overlap_is_mutual_and_never_with_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds) * COUNT(kinds); i++) {
		const struct kind *a = &kinds[i / COUNT(kinds)], *b = &kinds[i % COUNT(kinds)];
		struct key one = key_for(a->text), other = key_for(b->text);

		assert_int_equal(key_overlaps(&one, a->v6only, &other, b->v6only),
				 key_overlaps(&other, b->v6only, &one, a->v6only));
		assert_false(key_overlaps(&one, a->v6only, &one, a->v6only));
	}
}

static void another_port_type_or_namespace_is_another_place(void **state)
{
	struct key one = key_for("127.0.0.1:80"), other;

	(void)state;
	other = key_for("127.0.0.1:81");
	assert_false(key_same(&one, &other) || key_overlaps(&one, false, &other, false));
	key_make(&one.address, SOCK_DGRAM, 0, &other);
	assert_int_equal(other.protocol, IPPROTO_UDP);
	assert_false(key_same(&one, &other) || key_overlaps(&one, false, &other, false));
	other = one;
	other.namespace++;
	assert_false(key_same(&one, &other) || key_overlaps(&one, false, &other, false));
}

static void how_it_was_written_does_not_matter(void **state)
{
	struct key one = key_for("[::1]:80"), other = key_for("[0:0::1]:80");

	(void)state;
	assert_true(key_same(&one, &other));
	one = key_for("8080");
	other = key_for("*:8080");
	assert_true(key_same(&one, &other));
}

static void mptcp_listens_at_the_ports_of_tcp(void **state)
{
	struct key tcp = key_for("127.0.0.1:80"), mptcp;

	(void)state;
	key_make(&tcp.address, SOCK_STREAM, IPPROTO_MPTCP, &mptcp);
	assert_false(key_same(&tcp, &mptcp));
	assert_true(key_overlaps(&tcp, false, &mptcp, false));
}

static void slots_of_a_group_share_their_address(void **state)
{
	struct key one = key_for("127.0.0.1:80"), other = one, wide = key_for("0.0.0.0:80");

	(void)state;
	other.slot = 1;
	assert_false(key_same(&one, &other));
	assert_false(key_overlaps(&one, false, &other, false));
	assert_true(key_overlaps(&other, false, &wide, false));
}

static void a_path_is_one_file_whatever_the_type(void **state)
{
	struct key one = key_for("unix:/x"), other, abstract = key_for("unix:@x"), datagrams;

	(void)state;
	key_make(&one.address, SOCK_DGRAM, 0, &other);
	assert_true(key_overlaps(&one, false, &other, false));
	assert_false(key_overlaps(&one, false, &abstract, false));
	key_make(&abstract.address, SOCK_DGRAM, 0, &datagrams);
	assert_false(key_overlaps(&abstract, false, &datagrams, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_rules_are_the_kernels),
		cmocka_unit_test(an_overlap_is_mutual_and_never_with_itself),
		cmocka_unit_test(another_port_type_or_namespace_is_another_place),
		cmocka_unit_test(how_it_was_written_does_not_matter),
		cmocka_unit_test(mptcp_listens_at_the_ports_of_tcp),
		cmocka_unit_test(slots_of_a_group_share_their_address),
		cmocka_unit_test(a_path_is_one_file_whatever_the_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
