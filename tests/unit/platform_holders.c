/* Which process holds a socket, and which waits on it. */
#include "socket_support.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "base/owner.h"
#include "platform/platform.h"
#include "socket/open.h"

struct server {
	struct key key;
	int listener;
	unsigned long inode;
};

static struct server serve(const char *listens)
{
	struct server s = { .key = key_for(listens) };
	struct socket_settings settings = UNSET_SETTINGS;
	struct stat st;

	set_port(&s.key, 0);
	s.listener = socket_open(&s.key, &settings, NULL);
	assert_int_equal(fstat(s.listener, &st), 0);
	s.inode = st.st_ino;
	return s;
}

static int waits(pid_t pid, const struct server *s)
{
	struct err err = { 0 };
	int rc = platform_waits_on(pid, &s->inode, 1, &err);

	if (rc < 0)
		fail_msg("%s", err.text);
	return rc;
}

static void hold_only(void *ctx, int ready)
{
	(void)ctx, (void)ready;
}

static void let_go(void *ctx, int ready)
{
	(void)ready;
	(void)close(((struct server *)ctx)->listener);
}

static void accept_one(void *ctx, int ready)
{
	struct server *s = ctx;

	(void)ready;
	if (accept(s->listener, NULL, NULL) < 0)
		_exit(1);
}

static void block_in_accept(void *ctx, int ready)
{
	struct server *s = ctx;

	(void)!write(ready, "", 1);
	(void)accept(s->listener, NULL, NULL);
	_exit(0);
}

static void *thread_in_accept(void *ctx)
{
	struct server *s = ctx;

	(void)accept(s->listener, NULL, NULL);
	return NULL;
}

static void block_in_a_thread(void *ctx, int ready)
{
	pthread_t thread;

	(void)ready;
	if (pthread_create(&thread, NULL, thread_in_accept, ctx))
		_exit(1);
}

static void watch_with(void *ctx, unsigned events)
{
	struct epoll_event e = { .events = events };
	int set = epoll_create1(EPOLL_CLOEXEC);

	if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, ((struct server *)ctx)->listener, &e))
		_exit(1);
}

static void watch_by_epoll(void *ctx, int ready)
{
	(void)ready;
	watch_with(ctx, EPOLLIN);
}

static void watch_for_hang_up(void *ctx, int ready)
{
	(void)ready;
	watch_with(ctx, 0);
}

/* A master that only starts the worker below it. */
static void have_a_child(void *ctx, int ready)
{
	if (fork() == 0) {
		(void)alarm(60);
		block_in_accept(ctx, ready);
	}
	(void)close(((struct server *)ctx)->listener);
	(void)pause();
}

static void who_has_a_descriptor_holds_the_socket(void **state)
{
	struct server s = serve("127.0.0.1:1");
	struct child with = child_start(hold_only, &s), without = child_start(let_go, &s);

	(void)state;
	assert_int_equal(platform_holds_socket(getpid(), s.inode, NULL), 1);
	assert_int_equal(platform_holds_socket(with.pid, s.inode, NULL), 1);
	assert_int_equal(platform_holds_socket(without.pid, s.inode, NULL), 0);
	assert_int_equal(waits(with.pid, &s), 0);
	child_end(&with);
	child_end(&without);
	fd_close(&s.listener);
}

static void the_process_that_accepted_is_told_from_its_brother(void **state)
{
	static const char *const rows[][2] = { { "127.0.0.1:1", "127.0.0.1:1" },
					       { "*:1", "127.0.0.1:1" }, { "*:1", "[::1]:1" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct server s = serve(rows[i][0]);
		struct key to = key_for(rows[i][1]);
		unsigned long inode = 0;
		struct child brother, acceptor;
		int client;

		set_port(&to, port_of_fd(s.listener));
		brother = child_start(hold_only, &s);
		client = connect_to(&to);
		assert_int_equal(platform_find_acceptor(client, &inode, NULL), 0);
		acceptor = child_start(accept_one, &s);
		assert_int_equal(platform_find_acceptor(client, &inode, NULL), 1);
		assert_int_equal(platform_holds_socket(acceptor.pid, inode, NULL), 1);
		assert_int_equal(platform_holds_socket(brother.pid, inode, NULL), 0);
		child_end(&acceptor);
		child_end(&brother);
		fd_close(&client);
		fd_close(&s.listener);
	}
}

static void a_blocking_accept_is_seen(void **state)
{
	static void (*const ways[])(void *, int) = { block_in_accept, block_in_a_thread };

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct server s = serve("127.0.0.1:1"), other = serve("127.0.0.1:1");
		struct child c = child_start(ways[i], &s);

		AWAIT(waits(c.pid, &s) == 1);
		assert_int_equal(waits(c.pid, &other), 0);
		child_end(&c);
		assert_int_equal(waits(c.pid, &s), 0);
		fd_close(&s.listener);
		fd_close(&other.listener);
	}
}

static void an_epoll_set_is_seen_if_it_asks_for_connections(void **state)
{
	struct server s = serve("127.0.0.1:1"), other = serve("127.0.0.1:1");
	struct child c = child_start(watch_by_epoll, &s), no = child_start(watch_for_hang_up, &s);
	unsigned long both[] = { other.inode, s.inode };

	(void)state;
	assert_int_equal(waits(c.pid, &s), 1);
	assert_int_equal(waits(c.pid, &other), 0);
	assert_int_equal(platform_waits_on(c.pid, both, 2, NULL), 1);
	assert_int_equal(waits(no.pid, &s), 0);
	child_end(&c);
	child_end(&no);
	fd_close(&s.listener);
	fd_close(&other.listener);
}

static pid_t only_child_of(pid_t pid)
{
	char path[64], *text;
	long child;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
	text = fd_read_file(path, 4096);
	child = text ? strtol(text, NULL, 10) : 0;
	free(text);
	return (pid_t)child;
}

static void a_worker_below_a_master_counts(void **state)
{
	struct server s = serve("127.0.0.1:1");
	struct child c = child_start(have_a_child, &s);
	pid_t below = only_child_of(c.pid);

	(void)state;
	assert_true(below > 0);
	AWAIT(waits(c.pid, &s) == 1);
	assert_int_equal(platform_holds_socket(c.pid, s.inode, NULL), 1);
	(void)kill(below, SIGKILL);
	AWAIT(platform_holds_socket(c.pid, s.inode, NULL) == 0);
	child_end(&c);
	fd_close(&s.listener);
}

struct seen {
	pid_t pids[8];
	size_t count, most;
};

static bool note_copy(const struct socket_copy *copy, void *ctx)
{
	struct seen *s = ctx;

	assert_string_equal(copy->program, "unit_platform_holders");
	s->pids[s->count++] = copy->pid;
	return s->count >= s->most;
}

static bool is_seen(const struct seen *s, pid_t pid)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->pids[i] == pid)
			return true;
	return false;
}

static void one_walk_finds_every_copy(void **state)
{
	struct server a = serve("127.0.0.1:1"), b = serve("127.0.0.1:1");
	struct child with = child_start(hold_only, &a), without = child_start(let_go, &a);
	unsigned long both[] = { a.inode, b.inode };
	struct seen one = { .most = 8 }, all = { .most = 8 }, first = { .most = 1 };

	(void)state;
	assert_true(platform_socket_copies(&a.inode, 1, 10000, note_copy, &one, NULL) >= 0);
	assert_int_equal(one.count, 2);
	assert_true(is_seen(&one, getpid()) && is_seen(&one, with.pid));
	/* The children have the second socket too. */
	assert_true(platform_socket_copies(both, 2, 10000, note_copy, &all, NULL) >= 0);
	assert_int_equal(all.count, 5);
	assert_int_equal(platform_socket_copies(both, 2, 10000, note_copy, &first, NULL), 0);
	assert_int_equal(first.count, 1);
	assert_int_equal(platform_socket_copies(both, 2, 0, note_copy, &first, NULL), 0);
	assert_int_equal(first.count, 1);
	assert_int_equal(platform_parent(with.pid), getpid());
	child_end(&with);
	child_end(&without);
	fd_close(&a.listener);
	fd_close(&b.listener);
}

static void a_process_that_is_gone_holds_nothing(void **state)
{
	struct server s = serve("127.0.0.1:1");
	struct child c = child_start(hold_only, &s);

	(void)state;
	child_end(&c);
	assert_int_equal(platform_holds_socket(c.pid, s.inode, NULL), 0);
	assert_int_equal(waits(c.pid, &s), 0);
	fd_close(&s.listener);
}

/* Of an inode that nobody has, for everybody is below the first process. */
static void what_may_not_be_looked_at_cannot_be_told(void **state)
{
	struct server s = serve("127.0.0.1:1");
	struct err err = { 0 };

	(void)state;
	fd_close(&s.listener);
	if (getuid() == 0)
		skip();
	assert_int_equal(platform_holds_socket(1, s.inode, &err), -1);
	assert_string_equal(err.text, "cannot look into process 1: Permission denied");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_a_descriptor_holds_the_socket),
		cmocka_unit_test(the_process_that_accepted_is_told_from_its_brother),
		cmocka_unit_test(a_blocking_accept_is_seen),
		cmocka_unit_test(an_epoll_set_is_seen_if_it_asks_for_connections),
		cmocka_unit_test(a_worker_below_a_master_counts),
		cmocka_unit_test(one_walk_finds_every_copy),
		cmocka_unit_test(a_process_that_is_gone_holds_nothing),
		cmocka_unit_test(what_may_not_be_looked_at_cannot_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
