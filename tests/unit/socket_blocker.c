/* What is said about an address that cannot be bound. */
#include "socket_support.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/un.h>

#include "platform/platform.h"
#include "socket/blocker.h"
#include "socket/open.h"

/* For a bind with the usual options. */
static char *explain(const struct key *key, int why)
{
	struct attempt a = { .key = key, .sharing = key->type != SOCK_DGRAM, .why = why };
	struct str text = { 0 };
	struct judgement v;
	struct facts f;

	facts_gather(&a, NULL, 500, &f);
	blocker_judge(&f, &v);
	blocker_text(key, &f, &v, &text);
	return str_take(&text);
}

static void expect(const struct key *key, int why, const char *said)
{
	char *text = explain(key, why);

	if (strcmp(text, said) != 0)
		fail_msg("\"%s\" instead of \"%s\"", text, said);
	free(text);
}

static void listen_at(void *ctx, int ready)
{
	struct socket_settings s = UNSET_SETTINGS;

	(void)ready;
	if (socket_open(ctx, &s, NULL) < 0)
		_exit(1);
}

/* "127.0.0.1:8080 is taken by a listener of unit_socket_blocker (pid 1, user x)" */
static void a_listener_is_named(const char *address, const char *asked)
{
	struct key key = key_for(address), other = key_for(asked);
	int port = free_port();
	struct passwd *user = getpwuid(getuid());
	char said[256], text[ADDRESS_TEXT_SIZE], exe[256] = "";
	struct child c;

	set_port(&key, port);
	set_port(&other, port);
	c = child_start(listen_at, &key);
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	(void)snprintf(said, sizeof(said), "%s is taken by a listener of %s (pid %ld, user %s)",
		       address_text(&other.address, text), strrchr(exe, '/') + 1, (long)c.pid,
		       user ? user->pw_name : "");
	if (user)
		expect(&other, EADDRINUSE, said);
	child_end(&c);
}

static void the_listener_of_another_process_is_named(void **state)
{
	(void)state;
	a_listener_is_named("127.0.0.1:1", "127.0.0.1:1");
	a_listener_is_named("127.0.0.1:1", "*:1");
	a_listener_is_named("*:1", "127.0.0.1:1");
	a_listener_is_named("[::1]:1", "*:1");
}

/* What is said when the look for holders may take so long. */
static char *explain_within(const struct key *key, int ms)
{
	struct attempt a = { .key = key, .sharing = true, .why = EADDRINUSE };
	struct str text = { 0 };
	struct judgement v;
	struct facts f;

	facts_gather(&a, NULL, ms, &f);
	blocker_judge(&f, &v);
	blocker_text(key, &f, &v, &text);
	return str_take(&text);
}

static void a_look_that_had_no_time_does_not_say_that_nobody_is_visible(void **state)
{
	struct key key = key_for("127.0.0.1:1");
	struct child c;
	char *said;

	(void)state;
	set_port(&key, free_port());
	c = child_start(listen_at, &key);
	said = explain_within(&key, 0);
	assert_non_null(strstr(said, "a listener of a process that was not found among so many "
				     "in time"));
	free(said);
	said = explain_within(&key, 60000);
	assert_null(strstr(said, "a process that"));
	free(said);
	child_end(&c);
}

/* A connection whose server's end had no SO_REUSEADDR, closed there first. */
static void what_a_listener_left_is_counted_by_state(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");
	struct err err = { 0 };
	int listener, client, server;
	struct left_at at;
	char said[256];

	(void)state;
	set_port(&key, 0);
	s.exclusive = CHOICE_YES;
	listener = socket_open(&key, &s, NULL);
	set_port(&key, port_of_fd(listener));
	client = connect_to(&key);
	server = accept(listener, NULL, NULL);
	fd_close(&listener);
	fd_close(&server);

	assert_int_equal(socket_open(&key, &UNSET_SETTINGS, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	at.sa = (struct sockaddr *)&key.address.sa;
	AWAIT(platform_count_leftovers(&at, 1, NULL) == 0 && at.counts[TCP_FIN_WAIT2] == 1);
	(void)snprintf(said, sizeof(said), "127.0.0.1:%d is taken by connections of an earlier "
		       "listener that did not set SO_REUSEADDR (1 in FIN_WAIT_2)",
		       address_port(&key.address));
	expect(&key, EADDRINUSE, said);
	fd_close(&client);
}

static void a_socket_without_a_listener_is_guessed_at(void **state)
{
	struct key key = key_for("127.0.0.1:1");
	char said[256];

	(void)state;
	set_port(&key, free_port());
	(void)snprintf(said, sizeof(said), "127.0.0.1:%d is taken by a socket that does not "
		       "listen, or that is not visible from here", address_port(&key.address));
	expect(&key, EADDRINUSE, said);
}

static void other_reasons_are_said_in_words(void **state)
{
	struct key low = key_for("127.0.0.1:1"), away = key_for("192.0.2.1:80"),
		   high = key_for("127.0.0.1:40000"), path = key_for("unix:/no-such/s");

	(void)state;
	expect(&low, EACCES, "127.0.0.1:1: port 1 needs root or CAP_NET_BIND_SERVICE");
	expect(&high, EACCES, "127.0.0.1:40000: the system does not permit to bind it: "
	       "Permission denied");
	expect(&away, EADDRNOTAVAIL, "192.0.2.1:80: this address is not on this host");
	expect(&high, ENOBUFS, "cannot bind 127.0.0.1:40000: No buffer space available");
	expect(&path, ENOENT, "/no-such/s: the directory /no-such does not exist");
	expect(&path, EACCES, "/no-such/s: not permitted to make a socket in /no-such");
}

static void a_path_tells_who_is_behind_it(void **state)
{
	char directory[] = "/tmp/holdport-test-XXXXXX", text[96], *said;
	struct child c;
	struct key key;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(text, sizeof(text), "unix:%s/s", directory);
	key = key_for(text);
	c = child_start(listen_at, &key);
	said = explain(&key, EADDRINUSE);
	(void)snprintf(text, sizeof(text), "(pid %ld", (long)c.pid);
	assert_non_null(strstr(said, "/s is taken by a listener of "));
	assert_non_null(strstr(said, text));
	free(said);
	child_end(&c);

	assert_int_equal(unlink(address_path(&key.address)), 0);
	fd = open(address_path(&key.address), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	fd_close(&fd);
	said = explain(&key, EADDRINUSE);
	assert_non_null(strstr(said, "/s exists and is not a socket"));
	free(said);
	assert_int_equal(unlink(address_path(&key.address)), 0);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_listener_of_another_process_is_named),
		cmocka_unit_test(a_look_that_had_no_time_does_not_say_that_nobody_is_visible),
		cmocka_unit_test(what_a_listener_left_is_counted_by_state),
		cmocka_unit_test(a_socket_without_a_listener_is_guessed_at),
		cmocka_unit_test(other_reasons_are_said_in_words),
		cmocka_unit_test(a_path_tells_who_is_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
