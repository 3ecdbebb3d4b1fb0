/* Does a second bind pass?  Asked of the table, and of the kernel. */
#include "socket_support.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "base/owner.h"
#include "socket/open.h"
#include "socket/rule.h"

enum { NONE = 0, A = REUSE_ADDRESS, P = REUSE_PORT, AP = A | P, STRANGER = 65534 };

static struct claim host(const char *text, bool v6only)
{
	struct key key = key_for(text);

	return claim_of((struct sockaddr *)&key.address.sa, v6only);
}

/* All of it at one address, by one user. */
static int beside(enum rule_stage stage, unsigned first, unsigned second)
{
	struct rule_socket one = { .claim = host("127.0.0.1:1", false), .stage = stage,
				   .options = first };
	struct rule_socket two = { .claim = one.claim, .stage = RULE_LISTENING,
				   .options = second };

	return rule_bind(&rule_linux, &one, &two);
}

static void an_option_helps_only_if_both_have_it(void **state)
{
	static const unsigned options[] = { NONE, A, P, AP };

	(void)state;
	for (int stage = 0; stage < RULE_STAGES; stage++)
		for (size_t i = 0; i < COUNT(options) * COUNT(options); i++) {
			unsigned one = options[i / COUNT(options)];
			unsigned two = options[i % COUNT(options)];
			/* Beside a listener SO_REUSEADDR is none. */
			unsigned both = one & two & (stage == RULE_LISTENING ? P : AP);

			assert_int_equal(beside(stage, one, two), both ? 0 : EADDRINUSE);
		}
}

static void another_address_or_device_is_not_in_the_way(void **state)
{
	struct rule_socket one = { .claim = host("127.0.0.1:1", false), .stage = RULE_LISTENING };
	struct rule_socket two = { .claim = host("127.0.0.2:1", false), .stage = RULE_LISTENING };

	(void)state;
	assert_int_equal(rule_bind(&rule_linux, &one, &two), 0);
	two.claim = host("[::]:1", true);
	assert_int_equal(rule_bind(&rule_linux, &one, &two), 0);
	two.claim = host("[::]:1", false);
	assert_int_equal(rule_bind(&rule_linux, &one, &two), EADDRINUSE);
	one.device = 1;
	assert_int_equal(rule_bind(&rule_linux, &one, &two), EADDRINUSE);
	two.device = 2;
	assert_int_equal(rule_bind(&rule_linux, &one, &two), 0);
}

static void the_states_of_tcp_have_their_stage(void **state)
{
	(void)state;
	assert_int_equal(rule_stage_of(TCP_LISTEN, false), RULE_LISTENING);
	assert_int_equal(rule_stage_of(TCP_CLOSE, false), RULE_BOUND);
	assert_int_equal(rule_stage_of(TCP_TIME_WAIT, true), RULE_MINIMAL);
	assert_int_equal(rule_stage_of(TCP_FIN_WAIT2, true), RULE_MINIMAL);
	assert_int_equal(rule_stage_of(TCP_FIN_WAIT2, false), RULE_CONNECTED);
	assert_int_equal(rule_stage_of(TCP_FIN_WAIT1, true), RULE_CONNECTED);
	assert_int_equal(rule_stage_of(TCP_SYN_RECV, true), RULE_CONNECTED);
}

/* The kernel's answer to the same question as `who` (root may become him). */
static int kernel_says(const struct key *key, unsigned options, uid_t who)
{
	int fd, yes = 1, why = 0;

	assert_int_equal(seteuid(who), 0);
	fd = socket(key->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(seteuid(0), 0);
	if (options & A)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (options & P)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
	if (bind(fd, (const struct sockaddr *)&key->address.sa, key->address.length) < 0 ||
	    listen(fd, 1) < 0)
		why = errno;
	fd_close(&fd);
	return why;
}

static int listen_with(struct key *key, unsigned options)
{
	int fd = socket(key->family, SOCK_STREAM | SOCK_CLOEXEC, 0), a = options & A,
	    p = (options & P) != 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &a, sizeof(a));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &p, sizeof(p));
	assert_int_equal(bind(fd, (struct sockaddr *)&key->address.sa, key->address.length), 0);
	assert_int_equal(listen(fd, 1), 0);
	set_port(key, port_of_fd(fd));
	return fd;
}

/* What a listener with these options leaves in this stage; *ret_peer holds it. */
static int leave(struct key *key, unsigned options, enum rule_stage stage, int *ret_peer)
{
	int listener, accepted;

	set_port(key, 0);
	listener = listen_with(key, options);
	*ret_peer = -1;
	if (stage == RULE_LISTENING)
		return listener;
	*ret_peer = connect_to(key);
	accepted = accept(listener, NULL, NULL);
	fd_close(&listener);
	if (stage == RULE_MINIMAL)
		fd_close(&accepted);
	return accepted;
}

static void users_are_told_apart_as_the_kernel_does(void **state)
{
	static const enum rule_stage stages[] = { RULE_LISTENING, RULE_CONNECTED, RULE_MINIMAL };
	static const uid_t users[] = { 0, STRANGER };

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < COUNT(stages) * COUNT(users) * 16; i++) {
		struct key key = key_for("127.0.0.1:1");
		struct rule_socket one = { .stage = stages[i / (16 * COUNT(users))],
					   .claim = host("127.0.0.1:1", false),
					   .options = i / 4 % 4 };
		struct rule_socket two = { .stage = RULE_LISTENING, .claim = one.claim,
					   .options = i % 4, .uid = users[i / 16 % COUNT(users)] };
		int peer, left = leave(&key, one.options, one.stage, &peer);

		/* Of an orphan the kernel knows that it is one a moment later. */
		AWAIT(kernel_says(&key, two.options, two.uid) ==
		      rule_bind(&rule_linux, &one, &two));
		fd_close(&left);
		fd_close(&peer);
	}
}

/* A line of data/bind_accepted.txt. */
struct accepted {
	char listener[32], client[32], second[32], answers[3][8];
};

static int answer_of(const char *word)
{
	return strcmp(word, "ok") == 0 ? 0 : EADDRINUSE;
}

static struct rule_socket socket_at(const char *text, enum rule_stage stage, const char *listener)
{
	bool dual = key_for(text).family == AF_INET6 && key_for(listener).address.any;

	return (struct rule_socket){ .claim = host(text, !key_for(text).address.any),
				     .stage = stage, .dual = dual };
}

/* While the listener is there: both must pass. */
static int rule_says(const struct accepted *a, int when)
{
	static const enum rule_stage stages[] = { RULE_CONNECTED, RULE_CONNECTED, RULE_MINIMAL };
	struct rule_socket listener = socket_at(a->listener, RULE_LISTENING, a->listener);
	struct rule_socket left = socket_at(a->client, stages[when], a->listener);
	struct rule_socket second = socket_at(a->second, RULE_LISTENING, a->second);
	int why = when == 0 ? rule_bind(&rule_linux, &listener, &second) : 0;

	return why ? why : rule_bind(&rule_linux, &left, &second);
}

static int open_at(const char *text, int port)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for(text);
	struct err err = { 0 };
	int fd;

	set_port(&key, port);
	s.exclusive = CHOICE_YES;
	fd = socket_open(&key, &s, &err);
	return fd < 0 ? -err.code : fd;
}

static int second_bind(const char *text, int port)
{
	int fd = open_at(text, port);

	if (fd < 0)
		return -fd;
	fd_close(&fd);
	return 0;
}

static void ask_kernel(const struct accepted *a, int ret[3])
{
	int listener = open_at(a->listener, 0), port = port_of_fd(listener), client, server;
	struct key to = key_for(a->client);

	set_port(&to, port);
	client = connect_to(&to);
	server = accept(listener, NULL, NULL);
	assert_true(client >= 0 && server >= 0);
	ret[0] = second_bind(a->second, port);
	fd_close(&listener);
	ret[1] = second_bind(a->second, port);
	fd_close(&server);
	fd_close(&client);
	ret[2] = second_bind(a->second, port);
}

static bool kernel_follows(const struct accepted *a)
{
	int says[3];

	ask_kernel(a, says);
	for (int i = 0; i < 3; i++)
		if (says[i] != answer_of(a->answers[i]))
			return false;
	return true;
}

static void what_was_accepted_is_in_the_way_as_it_was_measured(void **state)
{
	FILE *in = fopen("data/bind_accepted.txt", "re");
	struct accepted a;
	char line[256];
	int rows = 0;

	(void)state;
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%31s %31s %31s %7s %7s %7s", a.listener, a.client, a.second,
			   a.answers[0], a.answers[1], a.answers[2]) != 6 || *line == '#')
			continue;
		rows++;
		for (int i = 0; i < 3; i++)
			if (rule_says(&a, i) != answer_of(a.answers[i]))
				fail_msg("%d: %s", i, line);
		/* Somebody else may have got the port for a client of his. */
		AWAIT(kernel_follows(&a));
	}
	(void)fclose(in);
	assert_int_equal(rows, 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_option_helps_only_if_both_have_it),
		cmocka_unit_test(another_address_or_device_is_not_in_the_way),
		cmocka_unit_test(the_states_of_tcp_have_their_stage),
		cmocka_unit_test(what_was_accepted_is_in_the_way_as_it_was_measured),
		cmocka_unit_test(users_are_told_apart_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
