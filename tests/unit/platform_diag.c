/* The kernel's tables of sockets, asked about real ones on loopback. */
#include "socket_support.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/owner.h"
#include "platform/platform.h"
#include "socket/open.h"

static unsigned long inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static int find(const struct key *key, struct holder *ret, size_t most)
{
	struct err err = { 0 };
	int found = platform_find_listeners((const struct sockaddr *)&key->address.sa,
					    key->address.length, key->type, ret, most, &err);

	if (found < 0)
		fail_msg("%s", err.text);
	return found;
}

static void a_listener_is_found_by_every_address_that_it_blocks(void **state)
{
	static const struct {
		const char *listens, *asked;
		int found;
	} rows[] = {
		{ "127.0.0.1:1", "127.0.0.1:1", 1 }, { "127.0.0.1:1", "0.0.0.0:1", 1 },
		{ "127.0.0.1:1", "*:1", 1 },	     { "127.0.0.1:1", "127.0.0.2:1", 0 },
		{ "127.0.0.1:1", "[::1]:1", 0 },     { "*:1", "127.0.0.1:1", 1 },
		{ "*:1", "[::1]:1", 1 },	     { "[::]:1", "127.0.0.1:1", 0 },
		{ "[::]:1", "[::1]:1", 1 },	     { "[::1]:1", "*:1", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct key key = key_for(rows[i].listens), asked = key_for(rows[i].asked);
		struct socket_settings s = UNSET_SETTINGS;
		struct holder holder = { 0 };
		int fd;

		set_port(&key, 0);
		fd = socket_open(&key, &s, NULL);
		set_port(&asked, port_of_fd(fd));
		if (find(&asked, &holder, 1) != rows[i].found)
			fail_msg("%s asked about %s", rows[i].listens, rows[i].asked);
		if (rows[i].found) {
			assert_int_equal(holder.pid, getpid());
			assert_int_equal(holder.inode, inode_of(fd));
			assert_int_equal(holder.uid, getuid());
			assert_true(holder.program[0]);
		}
		fd_close(&fd);
	}
}

static void more_are_counted_than_are_told(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");
	struct holder one = { 0 };
	int fds[3];

	(void)state;
	set_port(&key, 0);
	s.exclusive = CHOICE_NO;
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i] = socket_open(&key, &s, NULL);
		set_port(&key, port_of_fd(fds[i]));
	}
	assert_int_equal(find(&key, &one, 1), 3);
	for (size_t i = 0; i < COUNT(fds); i++)
		fd_close(&fds[i]);
}

static void unix_and_datagram_sockets_are_found(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct holder holder = { 0 };
	struct key key;
	char text[64];
	int fd;

	(void)state;
	(void)snprintf(text, sizeof(text), "unix:@holdport-test-%ld", (long)getpid());
	key = key_for(text);
	fd = socket_open(&key, &s, NULL);
	assert_int_equal(find(&key, &holder, 1), 1);
	assert_int_equal(holder.inode, inode_of(fd));
	assert_int_equal(holder.pid, getpid());
	fd_close(&fd);
	assert_int_equal(find(&key, &holder, 1), 0);

	key = key_for("127.0.0.1:1");
	key_make(&key.address, SOCK_DGRAM, 0, &key);
	set_port(&key, 0);
	fd = socket_open(&key, &s, NULL);
	set_port(&key, port_of_fd(fd));
	assert_int_equal(find(&key, &holder, 1), 1);
	assert_int_equal(holder.inode, inode_of(fd));
	fd_close(&fd);
}

struct ends {
	struct key key;
	int listener, client, server;
};

static void connect_ends(struct ends *e, const char *listens, const char *from)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for(listens);

	set_port(&key, 0);
	e->listener = socket_open(&key, &s, NULL);
	e->key = key_for(from);
	set_port(&e->key, port_of_fd(e->listener));
	e->client = connect_to(&e->key);
	e->server = -1;
	assert_true(e->client >= 0);
}

static void close_ends(struct ends *e)
{
	fd_close(&e->client);
	fd_close(&e->server);
	fd_close(&e->listener);
}

static unsigned asked;		/* questions to the kernel */

/* libmnl's way to the kernel leads through here. */
ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
	       socklen_t length)
{
	asked++;
	return syscall(SYS_sendto, fd, bytes, size, flags, to, length);
}

static unsigned left(const struct key *key, int state)
{
	struct left_at at = { .sa = (const struct sockaddr *)&key->address.sa };

	assert_int_equal(platform_count_leftovers(&at, 1, NULL), 0);
	return at.counts[state];
}

static void leftovers_are_counted_by_state(void **state)
{
	static const char *const listens[] = { "127.0.0.1:1", "*:1" };

	(void)state;
	for (size_t i = 0; i < COUNT(listens); i++) {
		struct key other = key_for("127.0.0.2:1");
		struct ends e;

		connect_ends(&e, listens[i], "127.0.0.1:1");
		e.server = accept(e.listener, NULL, NULL);
		fd_close(&e.listener);
		assert_int_equal(left(&e.key, TCP_ESTABLISHED), 1);
		fd_close(&e.server);
		fd_close(&e.client);
		AWAIT(left(&e.key, TCP_TIME_WAIT) == 1);
		assert_int_equal(left(&e.key, TCP_ESTABLISHED), 0);
		set_port(&other, address_port(&e.key.address));
		assert_int_equal(left(&other, TCP_TIME_WAIT), 0);
	}
}

/* Beyond 512 ports there is no filter in the kernel any more. */
static void any_number_of_addresses_is_asked_about_by_one_dump_a_family(void **state)
{
	static const size_t numbers[] = { 2, 40, 600 };

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct left_at *all = calloc(numbers[i], sizeof(*all));
		struct key *keys = calloc(numbers[i], sizeof(*keys));
		struct ends e;

		connect_ends(&e, "127.0.0.1:1", "127.0.0.1:1");
		e.server = accept(e.listener, NULL, NULL);
		for (size_t k = 0; k < numbers[i]; k++) {
			keys[k] = key_for(k ? "127.0.0.1:1" : "unix:@nobody");
			if (k > 1)	/* the first two of the network are one address */
				set_port(&keys[k], (int)k);
			else if (k)
				set_port(&keys[k], address_port(&e.key.address));
			all[k].sa = (struct sockaddr *)&keys[k].address.sa;
		}
		keys[numbers[i] - 1] = e.key;
		asked = 0;
		assert_int_equal(platform_count_leftovers(all, numbers[i], NULL), 0);
		assert_int_equal(asked, 2);
		assert_int_equal(all[1].counts[TCP_ESTABLISHED], 1);
		assert_int_equal(all[numbers[i] - 1].counts[TCP_ESTABLISHED], 1);
		assert_int_equal(all[0].counts[TCP_ESTABLISHED], 0);
		close_ends(&e);
		free(all);
		free(keys);
	}
}

static void the_acceptor_is_known_once_there_is_one(void **state)
{
	static const struct {
		const char *listens, *from;
	} rows[] = {
		{ "127.0.0.1:1", "127.0.0.1:1" }, { "*:1", "127.0.0.1:1" },
		{ "*:1", "[::1]:1" },		  { "[::1]:1", "[::1]:1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned long inode = 0;
		struct ends e;

		connect_ends(&e, rows[i].listens, rows[i].from);
		assert_int_equal(platform_find_acceptor(e.client, &inode, NULL), 0);
		assert_int_equal(inode, 0);
		e.server = accept(e.listener, NULL, NULL);
		assert_int_equal(platform_find_acceptor(e.client, &inode, NULL), 1);
		assert_int_equal(inode, inode_of(e.server));
		close_ends(&e);
	}
}

static void the_acceptor_of_a_unix_connection_is_known_too(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	unsigned long inode = 0;
	struct ends e;
	char text[64];

	(void)state;
	(void)snprintf(text, sizeof(text), "unix:@holdport-test-%ld", (long)getpid());
	e.key = key_for(text);
	e.listener = socket_open(&e.key, &s, NULL);
	e.client = connect_to(&e.key);
	assert_int_equal(platform_find_acceptor(e.client, &inode, NULL), 0);
	e.server = accept(e.listener, NULL, NULL);
	assert_int_equal(platform_find_acceptor(e.client, &inode, NULL), 1);
	assert_int_equal(inode, inode_of(e.server));
	close_ends(&e);
}

static void an_unconnected_socket_has_no_acceptor(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned long inode = 77;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(platform_find_acceptor(fd, &inode, &err), -1);
	assert_int_equal(inode, 77);
	assert_non_null(strstr(err.text, "not connected"));
	fd_close(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_is_found_by_every_address_that_it_blocks),
		cmocka_unit_test(more_are_counted_than_are_told),
		cmocka_unit_test(unix_and_datagram_sockets_are_found),
		cmocka_unit_test(leftovers_are_counted_by_state),
		cmocka_unit_test(any_number_of_addresses_is_asked_about_by_one_dump_a_family),
		cmocka_unit_test(the_acceptor_is_known_once_there_is_one),
		cmocka_unit_test(the_acceptor_of_a_unix_connection_is_known_too),
		cmocka_unit_test(an_unconnected_socket_has_no_acceptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
