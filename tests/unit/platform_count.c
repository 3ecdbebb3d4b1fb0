/* Connections of workers, counted on real sockets of real processes. */
#include "socket_support.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/owner.h"
#include "platform/count.h"
#include "socket/open.h"

enum { LONG = 10000 /* ms */, SOCKETS_MOST = 700, CLIENTS_MOST = 16 };

struct server {
	struct key key;
	int listener;
	int clients[CLIENTS_MOST];
	size_t client_count;
};

/* What a worker does with its sockets. */
struct task {
	struct server *servers[2];
	int accept[2];		/* connections of each */
	int below;		/* more of the first, by a process below it */
	bool closes;		/* its listeners */
	bool twice;		/* it has a copy of each connection */
};

static struct server serve_by(const char *listens, int protocol)
{
	struct server s = { .key = key_for(listens) };
	struct socket_settings settings = UNSET_SETTINGS;
	struct err err = { 0 };

	if (s.key.family != AF_UNIX)
		set_port(&s.key, free_port());
	s.key.protocol = protocol ? protocol : s.key.protocol;
	s.listener = socket_open(&s.key, &settings, &err);
	if (s.listener < 0)
		fail_msg("%s", err.text);
	return s;
}

static struct server serve(const char *listens)
{
	return serve_by(listens, 0);
}

static void end_server(struct server *s)
{
	for (size_t i = 0; i < s->client_count; i++)
		fd_close(&s->clients[i]);
	fd_close(&s->listener);
}

static void connect_some(struct server *s, const char *to, int count)
{
	struct key key = key_for(to);

	if (key.family != AF_UNIX)
		set_port(&key, port_of_fd(s->listener));
	while (count--) {
		int fd = connect_to(&key);

		assert_true(fd >= 0);
		s->clients[s->client_count++] = fd;
	}
}

static void accept_some(int listener, int count, bool twice)
{
	while (count--) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || (twice && dup(fd) < 0))
			_exit(1);
	}
}

static void accept_below(const struct task *t, int ready)
{
	if (t->below && fork() == 0) {
		(void)alarm(60);
		accept_some(t->servers[0]->listener, t->below, false);
		(void)close(t->servers[0]->listener);
		(void)!write(ready, "", 1);
		for (;;)
			(void)pause();
	}
}

static void work(void *ctx, int ready)
{
	const struct task *t = ctx;

	(void)setpgid(0, 0);
	for (size_t i = 0; i < COUNT(t->servers) && t->servers[i]; i++)
		accept_some(t->servers[i]->listener, t->accept[i], t->twice);
	accept_below(t, ready);
	for (size_t i = 0; i < COUNT(t->servers) && t->servers[i] && t->closes; i++)
		(void)close(t->servers[i]->listener);
	if (t->below)
		(void)pause();
}

static void count(struct server *const *servers, size_t server_count,
		  struct count_worker *workers, size_t worker_count)
{
	struct count_socket sockets[SOCKETS_MOST];
	struct err err = { 0 };

	for (size_t i = 0; i < server_count; i++)
		sockets[i] = (struct count_socket){
			.sa = (const struct sockaddr *)&servers[i]->key.address.sa,
			.length = servers[i]->key.address.length,
		};
	if (platform_count_connections(sockets, server_count, workers, worker_count, LONG, &err))
		fail_msg("%s", err.text);
}

static void each_worker_has_the_connections_that_it_accepted(void **state)
{
	static const struct {
		const char *listens, *client;
	} rows[] = {
		{ "127.0.0.1:1", "127.0.0.1:1" }, { "0.0.0.0:1", "127.0.0.1:1" },
		{ "*:1", "127.0.0.1:1" },	  { "*:1", "[::1]:1" },
		{ "[::1]:1", "[::1]:1" },	  { "unix:@hp-count", "unix:@hp-count" },
		{ "unix:/tmp/hp-count", "unix:/tmp/hp-count" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct server s = serve(rows[i].listens), *servers[] = { &s };
		struct task three = { .servers = { &s }, .accept = { 3 }, .twice = true };
		struct task one = { .servers = { &s }, .accept = { 1 }, .closes = true };
		struct child a, b;
		struct count_worker w[3] = { 0 };	/* the third: above them */

		connect_some(&s, rows[i].client, 6);	/* two are not accepted */
		a = child_start(work, &three);
		b = child_start(work, &one);
		w[0].pids[0] = a.pid;
		w[1].pids[0] = b.pid;
		w[2].pids[0] = getpid();
		count(servers, 1, w, 3);
		if (w[0].connections != 3 || w[1].connections != 1 || w[2].connections != 4)
			fail_msg("%s: %d, %d, %d", rows[i].listens, w[0].connections,
				 w[1].connections, w[2].connections);
		assert_true(w[0].listens && w[2].listens);
		assert_false(w[1].listens);
		child_end(&a);
		child_end(&b);
		end_server(&s);
		(void)unlink("/tmp/hp-count");
	}
}

static void the_parts_of_an_mptcp_connection_are_one(void **state)
{
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	struct server s, *servers[] = { &s };
	struct task two = { .servers = { &s }, .accept = { 2 }, .closes = true };
	struct count_worker w = { 0 };
	struct child c;

	(void)state;
	if (client < 0)
		skip();
	s = serve_by("127.0.0.1:1", IPPROTO_MPTCP);
	connect_some(&s, "127.0.0.1:1", 1);	/* one that does not know of it */
	assert_int_equal(connect(client, (const struct sockaddr *)&s.key.address.sa,
				 s.key.address.length), 0);
	s.clients[s.client_count++] = client;
	c = child_start(work, &two);
	w.pids[0] = c.pid;
	count(servers, 1, &w, 1);
	assert_int_equal(w.connections, 2);
	assert_false(w.listens);
	w.pids[0] = getpid();
	count(servers, 1, &w, 1);
	assert_true(w.listens);
	child_end(&c);
	end_server(&s);
}

static void a_client_that_has_left_counts_until_the_worker_closes(void **state)
{
	struct server s = serve("127.0.0.1:1"), *servers[] = { &s };
	struct task two = { .servers = { &s }, .accept = { 2 }, .closes = true };
	struct count_worker w = { 0 };
	struct child c;

	(void)state;
	connect_some(&s, "127.0.0.1:1", 2);
	c = child_start(work, &two);
	fd_close(&s.clients[0]);
	w.pids[0] = c.pid;
	count(servers, 1, &w, 1);
	assert_int_equal(w.connections, 2);
	child_end(&c);
	end_server(&s);
}

static void what_is_below_a_worker_is_its_own(void **state)
{
	struct server s = serve("127.0.0.1:1"), *servers[] = { &s };
	struct task t = { .servers = { &s }, .accept = { 2 }, .below = 3, .closes = true };
	struct count_worker w[1] = { 0 };
	struct child c;

	(void)state;
	connect_some(&s, "127.0.0.1:1", 5);
	c = child_start(work, &t);
	w[0].pids[0] = c.pid;
	AWAIT((count(servers, 1, w, 1), !w[0].listens));
	/* Those that the master had accepted are in both. */
	assert_int_equal(w[0].connections, 5);
	/* The one it started and the one it named: once each all the same. */
	w[0].pids[1] = c.pid;
	count(servers, 1, w, 1);
	assert_int_equal(w[0].connections, 5);
	(void)kill(-c.pid, SIGKILL);
	child_end(&c);
	end_server(&s);
}

static void sockets_are_told_apart_in_one_look(void **state)
{
	/* One, some, more than the kernel is asked to tell apart. */
	static const size_t others[] = { 0, 1, 9, 100, SOCKETS_MOST - 2 };
	int by_socket[SOCKETS_MOST];

	(void)state;
	for (size_t k = 0; k < COUNT(others); k++) {
		struct server a = serve("127.0.0.1:1"), b = serve("*:1"), other = a;
		struct server *servers[SOCKETS_MOST] = { 0 }, more[SOCKETS_MOST];
		struct task t = { .servers = { &a, &b }, .accept = { 1, 2 } };
		struct count_worker w = { .by_socket = by_socket };
		struct child c;

		for (size_t i = 0; i < others[k]; i++) {
			more[i] = other;
			set_port(&more[i].key, 1000 + (int)i);
			servers[i] = &more[i];
		}
		servers[others[k]] = &a;
		servers[others[k] + 1] = &b;
		connect_some(&a, "127.0.0.1:1", 1);
		connect_some(&b, "127.0.0.1:1", 1);
		connect_some(&b, "[::1]:1", 1);
		c = child_start(work, &t);
		w.pids[0] = c.pid;
		count(servers, others[k] + 2, &w, 1);
		assert_int_equal(w.connections, 3);
		assert_int_equal(by_socket[others[k]], 1);
		assert_int_equal(by_socket[others[k] + 1], 2);
		child_end(&c);
		end_server(&a);
		end_server(&b);
	}
}

static void a_specific_address_has_its_connections_beside_a_wildcard(void **state)
{
	struct server one = serve("127.0.0.2:1"), other = { .key = one.key };
	struct server all = { .key = key_for("0.0.0.0:1") }, *servers[] = { &all, &one, &other };
	struct task t = { .servers = { &one }, .accept = { 1 } };
	struct count_worker w = { .by_socket = (int[3]){ 0 } };
	struct child c;

	(void)state;
	set_port(&all.key, port_of_fd(one.listener));
	other.key = key_for("127.0.0.3:1");
	set_port(&other.key, port_of_fd(one.listener));
	connect_some(&one, "127.0.0.2:1", 1);
	c = child_start(work, &t);
	w.pids[0] = c.pid;
	count(servers, 3, &w, 1);
	assert_int_equal(w.by_socket[0], 0);
	assert_int_equal(w.by_socket[1], 1);
	assert_int_equal(w.by_socket[2], 0);
	child_end(&c);
	end_server(&one);
}

static void a_listener_of_before_is_one_still(void **state)
{
	/* The address was widened meanwhile: the worker has the old socket. */
	struct server narrow = serve("127.0.0.1:1"), wide = { .key = key_for("0.0.0.0:1") };
	struct server *servers[] = { &wide };
	struct task t = { .servers = { &narrow } };
	struct child c = child_start(work, &t);
	struct count_worker w = { .pids = { c.pid } };

	(void)state;
	set_port(&wide.key, port_of_fd(narrow.listener));
	count(servers, 1, &w, 1);
	assert_int_equal(w.connections, 0);
	assert_true(w.listens);
	child_end(&c);
	end_server(&narrow);
}

static void one_that_does_not_listen_now_may_again(void **state)
{
	/* when_down = refuse: known by its inode only. */
	struct server s = serve("127.0.0.1:1");
	struct task t = { .servers = { &s } };
	struct count_socket socket = { .sa = (const struct sockaddr *)&s.key.address.sa,
				       .length = s.key.address.length };
	struct child c = child_start(work, &t);
	struct count_worker w = { .pids = { c.pid } };
	struct stat st;

	(void)state;
	socket_refuse(s.listener, &s.key);
	assert_int_equal(fstat(s.listener, &st), 0);
	socket.inode = st.st_ino;
	assert_int_equal(platform_count_connections(&socket, 1, &w, 1, LONG, NULL), 0);
	assert_true(w.listens);
	child_end(&c);
	end_server(&s);
}

static void who_cannot_be_seen_may_have_anything(void **state)
{
	struct server s = serve("127.0.0.1:1"), *servers[] = { &s };
	struct count_socket socket = { .sa = (const struct sockaddr *)&s.key.address.sa,
				       .length = s.key.address.length };
	struct task t = { .servers = { &s }, .closes = true };
	struct child c = child_start(work, &t);
	struct count_worker w = { .pids = { c.pid } };

	(void)state;
	(void)kill(c.pid, SIGKILL);
	AWAIT((count(servers, 1, &w, 1), w.connections == -1));
	assert_true(w.listens);
	child_end(&c);
	/* Time is over before it is reached. */
	w.pids[0] = getpid();
	assert_int_equal(platform_count_connections(&socket, 1, &w, 1, 0, NULL), 0);
	assert_int_equal(w.connections, -1);
	assert_true(w.listens);
	end_server(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_worker_has_the_connections_that_it_accepted),
		cmocka_unit_test(the_parts_of_an_mptcp_connection_are_one),
		cmocka_unit_test(a_client_that_has_left_counts_until_the_worker_closes),
		cmocka_unit_test(what_is_below_a_worker_is_its_own),
		cmocka_unit_test(sockets_are_told_apart_in_one_look),
		cmocka_unit_test(a_specific_address_has_its_connections_beside_a_wildcard),
		cmocka_unit_test(a_listener_of_before_is_one_still),
		cmocka_unit_test(one_that_does_not_listen_now_may_again),
		cmocka_unit_test(who_cannot_be_seen_may_have_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
