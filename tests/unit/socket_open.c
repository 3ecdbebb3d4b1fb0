/* One listening socket for one address: what is there afterwards, and what is
 * said where it cannot be. */
#include "socket_support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/owner.h"
#include "socket/open.h"
#include "socket/unix_path.h"

static char directory[64], path[96];

static struct key path_key(void)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "unix:%s", path);
	return key_for(text);
}

static int in_a_directory(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/holdport-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/s", directory);
	return 0;
}

static int away_with_it(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

static void a_socket_is_closed_on_exec_and_above_the_standard_three(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");
	int fd, kept = dup(0);

	(void)state;
	set_port(&key, 0);
	(void)close(0);
	fd = socket_open(&key, &s, NULL);
	assert_true(fd > 2);
	assert_int_equal(fcntl(0, F_GETFD), -1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_true(kept < 0 || dup2(kept, 0) == 0);
	fd_close(&kept);
	fd_close(&fd);
}

static void exclusive_decides_who_may_share(void **state)
{
	static const struct {
		int exclusive, reuse_address, reuse_port;
	} rows[] = {
		{ CHOICE_AUTO, 1, 0 }, { CHOICE_YES, 0, 0 }, { CHOICE_NO, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct key key = key_for("127.0.0.1:1");
		int fd;

		set_port(&key, 0);
		s.exclusive = rows[i].exclusive;
		fd = socket_open(&key, &s, NULL);
		assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), rows[i].reuse_address);
		assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), rows[i].reuse_port);
		fd_close(&fd);
	}
}

static void v6only_is_always_said(void **state)
{
	static const struct {
		const char *listen;
		int ipv6_only, expected;
	} rows[] = {
		{ "*:1",    CHOICE_AUTO, 0 }, { "*:1",	  CHOICE_YES, 1 },
		{ "[::]:1", CHOICE_AUTO, 1 }, { "[::]:1", CHOICE_NO,  0 },
		{ "[::1]:1", CHOICE_AUTO, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct key key = key_for(rows[i].listen);
		int fd;

		set_port(&key, 0);
		s.ipv6_only = rows[i].ipv6_only;
		fd = socket_open(&key, &s, NULL);
		assert_true(fd >= 0);
		assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), rows[i].expected);
		fd_close(&fd);
	}
}

static void blocking_mode_is_as_asked(void **state)
{
	static const int choices[] = { CHOICE_AUTO, CHOICE_NO, CHOICE_YES };

	(void)state;
	for (size_t i = 0; i < COUNT(choices); i++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct key key = key_for("127.0.0.1:1");
		int fd;

		set_port(&key, 0);
		s.non_blocking = choices[i];
		fd = socket_open(&key, &s, NULL);
		assert_int_equal(!!(fcntl(fd, F_GETFL) & O_NONBLOCK), choices[i] == CHOICE_YES);
		fd_close(&fd);
	}
}

static void mptcp_is_made_or_named(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");
	struct err err = { 0 };
	int fd;

	(void)state;
	set_port(&key, 0);
	key.protocol = IPPROTO_MPTCP;
	fd = socket_open(&key, &s, &err);
	if (fd < 0)
		assert_non_null(strstr(err.text, "mptcp: this system has no multipath TCP"));
	else
		assert_int_equal(option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_MPTCP);
	fd_close(&fd);
}

static void a_taken_address_is_eaddrinuse(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");
	struct err err = { 0 };
	int first;

	(void)state;
	set_port(&key, 0);
	first = socket_open(&key, &s, NULL);
	set_port(&key, port_of_fd(first));
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	fd_close(&first);
}

static void an_address_of_another_host_is_eaddrnotavail(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("192.0.2.1:81");
	struct err err = { 0 };
	int fd;

	(void)state;
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_int_equal(err.code, EADDRNOTAVAIL);
	s.free_bind = 1;
	set_port(&key, 0);
	fd = socket_open(&key, &s, &err);
	assert_true(fd >= 0);
	fd_close(&fd);
}

static void a_path_has_its_mode_from_the_first_moment(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = path_key();
	mode_t ours = umask(077);
	struct stat st;
	int fd;

	(void)state;
	s.mode = 0662;
	s.uid = getuid();
	s.gid = getgid();
	fd = socket_open(&key, &s, NULL);
	assert_true(fd >= 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0662);
	assert_int_equal(umask(ours), 077);
	s.mode = 0600;
	assert_int_equal(socket_retune(fd, &key, &s, NULL), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	fd_close(&fd);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = path_key();
	int fd = socket_open(&key, &s, NULL), client;

	(void)state;
	fd_close(&fd);
	fd = socket_open(&key, &s, NULL);
	assert_true(fd >= 0);
	client = connect_to(&key);
	assert_true(client >= 0);
	fd_close(&client);
	fd_close(&fd);
}

static void a_live_socket_is_left_alone(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = path_key();
	struct unix_path was, now;
	struct err err = { 0 };
	int fd = socket_open(&key, &s, NULL);

	(void)state;
	was = unix_path_note(&key);
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	assert_non_null(strstr(err.text, "is taken: somebody answers on it"));
	key.type = SOCK_DGRAM;
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_non_null(strstr(err.text, "is taken by a socket of another type"));
	now = unix_path_note(&key);
	assert_int_equal(was.inode, now.inode);
	fd_close(&fd);
}

static void a_full_queue_is_somebody(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = path_key();
	struct err err = { 0 };
	int fd, clients[3], n = 0;

	(void)state;
	s.backlog = 1;
	fd = socket_open(&key, &s, NULL);
	for (n = 0; n < 3; n++) {
		clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(clients[n], (struct sockaddr *)&key.address.sa, key.address.length);
	}
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_non_null(strstr(err.text, "somebody answers on it"));
	while (n--)
		fd_close(&clients[n]);
	fd_close(&fd);
}

static void a_file_and_a_link_are_never_replaced(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	char aside[128], said[160];
	struct key key = path_key(), target;
	struct err err = { 0 };
	struct stat st;
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	fd_close(&fd);
	(void)snprintf(said, sizeof(said), "%s exists and is not a socket", path);
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_string_equal(err.text, said);
	assert_int_equal(err.code, EADDRINUSE);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(unlink(path), 0);

	/* A link to a stale socket. */
	(void)snprintf(aside, sizeof(aside), "unix:%s.aside", path);
	target = key_for(aside);
	fd = socket_open(&target, &s, NULL);
	fd_close(&fd);
	assert_int_equal(symlink(aside + 5, path), 0);
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_string_equal(err.text, said);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(aside + 5), 0);
}

static void a_missing_directory_is_named(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("unix:/tmp/holdport-no-such-directory/s");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.text, "/tmp/holdport-no-such-directory/s: the directory "
			    "/tmp/holdport-no-such-directory does not exist");
}

static void an_abstract_name_leaves_no_file(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct err err = { 0 };
	char text[64];
	struct key key;
	int fd;

	(void)state;
	(void)snprintf(text, sizeof(text), "unix:@holdport-test-%ld", (long)getpid());
	key = key_for(text);
	fd = socket_open(&key, &s, &err);
	assert_true(fd >= 0);
	assert_int_equal(socket_open(&key, &s, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	assert_int_equal(socket_retune(fd, &key, &s, &err), 0);
	fd_close(&fd);
}

static void a_datagram_socket_never_shares_by_address(void **state)
{
	static const int choices[] = { CHOICE_AUTO, CHOICE_YES, CHOICE_NO };

	(void)state;
	for (size_t i = 0; i < COUNT(choices); i++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct key listen = key_for("127.0.0.1:1"), key;
		struct err err = { 0 };
		int fd;

		key_make(&listen.address, SOCK_DGRAM, 0, &key);
		set_port(&key, 0);
		s.type = SOCK_DGRAM;
		s.exclusive = choices[i];
		fd = socket_open(&key, &s, NULL);
		assert_int_equal(option(fd, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
		assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), 0);
		assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), choices[i] == CHOICE_NO);
		assert_int_equal(socket_retune(fd, &key, &s, &err), 0);
		fd_close(&fd);
	}
}

static void unix_sockets_are_of_every_type(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct key key = path_key();
		struct err err = { 0 };
		int fd, stale;

		key.type = types[i];
		stale = socket_open(&key, &s, NULL);
		assert_int_equal(option(stale, SOL_SOCKET, SO_TYPE), types[i]);
		assert_int_equal(socket_open(&key, &s, &err), -1);
		assert_int_equal(err.code, EADDRINUSE);
		fd_close(&stale);
		fd = socket_open(&key, &s, NULL);
		assert_true(fd >= 0);
		fd_close(&fd);
	}
}

int main(void)
{
#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, in_a_directory, away_with_it)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_is_closed_on_exec_and_above_the_standard_three),
		cmocka_unit_test(exclusive_decides_who_may_share),
		cmocka_unit_test(v6only_is_always_said),
		cmocka_unit_test(blocking_mode_is_as_asked),
		cmocka_unit_test(mptcp_is_made_or_named),
		cmocka_unit_test(a_taken_address_is_eaddrinuse),
		cmocka_unit_test(an_address_of_another_host_is_eaddrnotavail),
		WITH_PATH(a_path_has_its_mode_from_the_first_moment),
		WITH_PATH(a_stale_socket_is_replaced),
		WITH_PATH(a_live_socket_is_left_alone),
		WITH_PATH(a_full_queue_is_somebody),
		WITH_PATH(a_file_and_a_link_are_never_replaced),
		cmocka_unit_test(a_missing_directory_is_named),
		cmocka_unit_test(an_abstract_name_leaves_no_file),
		cmocka_unit_test(a_datagram_socket_never_shares_by_address),
		WITH_PATH(unix_sockets_are_of_every_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
