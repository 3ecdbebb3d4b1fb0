/* Every socket at a port, news of those that go, and an end to those that are left:
 * asked about real ones on loopback. */
#include "socket_support.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>

#include "base/owner.h"
#include "platform/platform.h"
#include "socket/open.h"

struct seen {
	unsigned by_state[12], open, timed;
	int64_t latest;
	unsigned long inode;		/* of the last that is open */
	bool v6only;			/* so is the last one of IPv6 */
};

static void see(const struct bound *b, void *ctx)
{
	struct seen *s = ctx;

	s->by_state[b->state]++;
	s->open += b->inode != 0;
	s->inode = b->inode ? b->inode : s->inode;
	s->timed += b->ends_ms >= 0;
	s->latest = b->ends_ms > s->latest ? b->ends_ms : s->latest;
	s->v6only = b->local.ss_family == AF_INET6 ? b->v6only : s->v6only;
}

static struct seen look(int port, int type)
{
	struct seen s = { 0 };

	assert_int_equal(platform_each_bound(port, type, see, &s, NULL), 1);
	return s;
}

/* A listener without SO_REUSEADDR, and both ends of a connection to it. */
struct ends {
	struct key key;
	int listener, client, server, port;
};

static struct ends connect_ends(void)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct ends e = { .key = key_for("127.0.0.1:1") };

	set_port(&e.key, 0);
	s.exclusive = CHOICE_YES;
	e.listener = socket_open(&e.key, &s, NULL);
	e.port = port_of_fd(e.listener);
	set_port(&e.key, e.port);
	e.client = connect_to(&e.key);
	e.server = accept(e.listener, NULL, NULL);
	return e;
}

static void close_ends(struct ends *e)
{
	fd_close(&e->listener);
	fd_close(&e->server);
	fd_close(&e->client);
}

static void each_socket_is_seen_with_its_state(void **state)
{
	struct ends e = connect_ends();
	struct seen s = look(e.port, SOCK_STREAM);

	(void)state;
	assert_int_equal(s.by_state[TCP_LISTEN], 1);
	assert_int_equal(s.by_state[TCP_ESTABLISHED], 1);
	assert_int_equal(s.open, 2);
	assert_int_equal(s.timed, 0);
	close_ends(&e);
}

static void what_is_bound_and_does_not_listen_is_seen(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct seen s;

	(void)state;
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	s = look(port_of_fd(fd), SOCK_STREAM);
	assert_int_equal(s.by_state[TCP_CLOSE], 1);
	assert_true(s.v6only);
	assert_int_equal(s.open, 1);
	fd_close(&fd);
}

static void the_kernels_own_timers_are_told(void **state)
{
	struct ends e = connect_ends();
	struct seen s;

	(void)state;
	fd_close(&e.listener);
	fd_close(&e.server);
	AWAIT(look(e.port, SOCK_STREAM).by_state[TCP_FIN_WAIT2] == 1);
	fd_close(&e.client);
	AWAIT(look(e.port, SOCK_STREAM).by_state[TCP_TIME_WAIT] == 1);
	s = look(e.port, SOCK_STREAM);
	assert_int_equal(s.timed, 1);
	assert_in_range(s.latest, 50000, 60000);
	assert_int_equal(s.open, 0);
	close_ends(&e);
}

static bool reads_within(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && platform_heard(fd);
}

static void a_socket_that_goes_is_heard_of(void **state)
{
	struct ends e = connect_ends(), other = connect_ends();
	int all = platform_hear_sockets(e.port, SOCK_STREAM, false, NULL);
	int listeners = platform_hear_sockets(e.port, SOCK_STREAM, true, NULL);

	(void)state;
	assert_true(all >= 0 && listeners >= 0);
	close_ends(&other);		/* of another port: not heard of */
	assert_false(reads_within(all, 50));
	fd_close(&e.client);
	fd_close(&e.server);		/* a connection, passively closed */
	assert_true(reads_within(all, 5000));
	assert_false(reads_within(listeners, 50));
	fd_close(&e.listener);
	assert_true(reads_within(listeners, 5000));
	close_ends(&e);
	fd_close(&all);
	fd_close(&listeners);
}

static bool of_nobody(const struct bound *b, void *ctx)
{
	(void)ctx;
	return !b->inode;
}

static void what_nobody_has_open_is_ended_and_the_port_is_free(void **state)
{
	struct ends e = connect_ends(), alive = connect_ends();
	struct err err = { 0 };
	int ended, fd;

	(void)state;
	fd_close(&e.listener);
	fd_close(&e.server);
	AWAIT(look(e.port, SOCK_STREAM).by_state[TCP_FIN_WAIT2] == 1);
	assert_int_equal(socket_open(&e.key, &UNSET_SETTINGS, NULL), -1);
	ended = platform_end_connections(e.port, of_nobody, NULL, &err);
	if (ended < 0) {
		assert_int_equal(err.code, EPERM);
	} else {
		assert_int_equal(ended, 1);
		fd = socket_open(&e.key, &UNSET_SETTINGS, NULL);
		assert_true(fd >= 0);
		fd_close(&fd);
		assert_int_equal(platform_end_connections(alive.port, of_nobody, NULL, &err), 0);
		assert_int_equal(look(alive.port, SOCK_STREAM).by_state[TCP_ESTABLISHED], 1);
	}
	close_ends(&e);
	close_ends(&alive);
}

/* As socket_open() makes it; -1: this system has no MPTCP. */
static struct ends connect_mptcp(void)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct ends e = { .key = key_for("127.0.0.1:1"), .client = -1, .server = -1 };

	key_make(&e.key.address, SOCK_STREAM, IPPROTO_MPTCP, &e.key);
	set_port(&e.key, 0);
	s.exclusive = CHOICE_YES;
	e.listener = socket_open(&e.key, &s, NULL);
	if (e.listener < 0)
		return e;
	e.port = port_of_fd(e.listener);
	set_port(&e.key, e.port);
	e.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	assert_int_equal(connect(e.client, (struct sockaddr *)&e.key.address.sa,
				 e.key.address.length), 0);
	e.server = accept(e.listener, NULL, NULL);
	return e;
}

static bool can_be_bound(const struct key *key)
{
	int fd = socket_open(key, &UNSET_SETTINGS, NULL);
	bool can = fd >= 0;

	fd_close(&fd);
	return can;
}

/* Its subflow is ESTABLISHED, with an inode, as the kernel shows it. */
static void what_mptcp_leaves_is_seen_as_it_is_and_can_be_ended(void **state)
{
	struct ends e = connect_mptcp();
	struct seen s;

	(void)state;
	if (e.listener < 0)
		skip();
	s = look(e.port, SOCK_STREAM);
	assert_int_equal(s.by_state[TCP_LISTEN], 1);
	assert_int_equal(s.by_state[TCP_ESTABLISHED], 1);
	assert_int_equal(s.open, 2);
	fd_close(&e.listener);
	fd_close(&e.server);
	AWAIT(look(e.port, SOCK_STREAM).by_state[TCP_FIN_WAIT2] == 1);
	s = look(e.port, SOCK_STREAM);
	assert_int_equal(s.by_state[TCP_ESTABLISHED], 0);
	assert_int_equal(s.open, 0);
	assert_int_equal(s.timed, 1);
	assert_in_range(s.latest, 50000, 60000);
	if (platform_end_connections(e.port, of_nobody, NULL, NULL) == 1) {
		key_make(&e.key.address, SOCK_STREAM, 0, &e.key);
		AWAIT(can_be_bound(&e.key));
	}
	close_ends(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_socket_is_seen_with_its_state),
		cmocka_unit_test(what_is_bound_and_does_not_listen_is_seen),
		cmocka_unit_test(the_kernels_own_timers_are_told),
		cmocka_unit_test(a_socket_that_goes_is_heard_of),
		cmocka_unit_test(what_nobody_has_open_is_ended_and_the_port_is_free),
		cmocka_unit_test(what_mptcp_leaves_is_seen_as_it_is_and_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
