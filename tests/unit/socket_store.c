/* Held sockets in a real loop, on real addresses. */
#include "socket_support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "socket/open.h"
#include "socket/store.h"

struct told {
	struct loop *loop;
	int times;
	enum held_state state;
	char reason[256];
	int stop_at;		/* a state that ends the loop; -1: none */
};

static void on_changed(struct held *h, void *ctx)
{
	struct told *t = ctx;

	t->times++;
	t->state = h->state;
	(void)snprintf(t->reason, sizeof(t->reason), "%s", h->reason ? h->reason : "");
	if ((int)h->state == t->stop_at)
		loop_stop(t->loop);
}

static void on_late(struct loop_timer *t)
{
	(void)t;
	fail_msg("nothing happened within five seconds");
}

static void run_until(struct told *t, enum held_state state)
{
	struct loop_timer late = { 0 };

	t->stop_at = (int)state;
	loop_timer_start(t->loop, &late, 5000, on_late);
	loop_run(t->loop);
	loop_timer_stop(&late);
	t->stop_at = -1;
}

struct pause {
	struct loop_timer timer;
	struct loop *loop;
};

static void on_pause_over(struct loop_timer *t)
{
	loop_stop(OWNER(t, struct pause, timer)->loop);
}

/* Lets the loop turn for a while. */
static void run_for(struct loop *l, int64_t ms)
{
	struct pause pause = { .loop = l };

	loop_timer_start(l, &pause.timer, ms, on_pause_over);
	loop_run(l);
}

static struct told start(struct store *s)
{
	struct told t = { .loop = loop_new(NULL), .stop_at = -1 };

	assert_non_null(t.loop);
	store_init(s, t.loop, NULL, NULL);
	return t;
}

static void end(struct store *s, struct told *t)
{
	store_fini(s);
	loop_free(t->loop);
}

static struct key loopback(int port)
{
	struct key key = key_for("127.0.0.1:1");

	set_port(&key, port);
	return key;
}

static void what_was_added_is_claimed_by_its_key(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port()), wide = key_for("*:1");
	struct store s;
	struct told t = start(&s);
	struct held *h;

	(void)state;
	assert_null(store_claim(&s, &key));
	h = store_add(&s, &key, &settings, 3);
	held_ref(h);
	assert_int_equal(h->state, HELD_LISTENING);
	assert_int_equal(h->origin, ORIGIN_BOUND);
	assert_int_equal(h->index, 3);
	assert_ptr_equal(store_claim(&s, &key), h);
	set_port(&wide, address_port(&key.address));
	assert_null(store_claim(&s, &wide));
	end(&s, &t);
}

static void the_last_reference_closes(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &settings, 0);
	int client;

	(void)state;
	s.changed = on_changed;
	s.ctx = &t;
	held_ref(h);
	held_ref(h);
	held_unref(h);
	client = connect_to(&key);
	assert_true(client >= 0);
	assert_int_equal(t.times, 0);
	held_unref(h);
	assert_int_equal(t.state, HELD_CLOSED);
	assert_null(store_claim(&s, &key));
	assert_int_equal(connect_to(&key), -1);
	fd_close(&client);
	end(&s, &t);
}

/* A free_port() would be heard of: its listener may go later than its close(2). */
static void a_busy_address_is_waited_for_and_then_bound(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(0);
	int other = socket_open(&key, &settings, NULL);
	struct store s;
	struct told t = start(&s);
	struct held *h;

	(void)state;
	set_port(&key, port_of_fd(other));
	s.changed = on_changed;
	s.ctx = &t;
	h = store_add(&s, &key, &settings, 0);
	held_ref(h);
	assert_int_equal(h->state, HELD_WAITING);
	assert_int_equal(h->fd, -1);
	assert_true(h->gate.since > 0);
	assert_non_null(strstr(h->reason, "is taken by a listener of this supervisor"));
	assert_int_equal(t.times, 1);
	run_for(t.loop, 300);
	assert_int_equal(t.times, 1);		/* the same state for the same reason */
	assert_in_range(h->gate.tries, 1, 3);	/* nobody polls */

	fd_close(&other);
	run_until(&t, HELD_LISTENING);
	assert_null(h->reason);
	assert_int_equal(h->gate.since, 0);
	assert_true(h->inode > 0);
	assert_int_equal(t.times, 2);
	end(&s, &t);
}

static void a_waiting_socket_may_be_let_go(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	int other = socket_open(&key, &settings, NULL);
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &settings, 0);

	(void)state;
	held_ref(h);
	held_unref(h);
	run_for(t.loop, 300);
	assert_null(store_claim(&s, &key));
	fd_close(&other);
	end(&s, &t);
}

static void drop_line(enum log_level level, const char *line, void *ctx)
{
	(void)level;
	(void)snprintf(ctx, 256, "%s", line);
}

static void a_listener_that_was_shut_down_listens_again(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &settings, 0);
	unsigned long inode = h->inode;
	char line[256] = "";
	int client;

	(void)state;
	held_ref(h);
	log_to(drop_line, line);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(shutdown(h->fd, SHUT_RDWR), 0);
		assert_int_equal(connect_to(&key), -1);
		run_for(t.loop, 250);
		assert_non_null(strstr(line, "somebody shut the listener"));
		assert_int_equal(h->state, HELD_LISTENING);
		assert_int_equal(h->inode, inode);
		client = connect_to(&key);
		assert_true(client >= 0);
		fd_close(&client);
	}
	log_to(NULL, NULL);
	end(&s, &t);
}

static void one_that_is_shut_down_in_a_loop_is_healed_at_a_pace(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &settings, 0);
	int64_t end_at = clock_monotonic_ms() + 300;
	char line[256] = "";
	int heals = 0;

	(void)state;
	held_ref(h);
	log_to(drop_line, line);
	while (clock_monotonic_ms() < end_at) {
		(void)shutdown(h->fd, SHUT_RDWR);
		run_for(t.loop, 1);
		heals += line[0] != '\0';
		line[0] = '\0';
	}
	log_to(NULL, NULL);
	assert_in_range(heals, 2, 4);
	end(&s, &t);
}

static void connections_do_not_wake_the_loop(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &settings, 0);
	char line[256] = "";
	int client;

	(void)state;
	held_ref(h);
	log_to(drop_line, line);
	client = connect_to(&key);
	run_for(t.loop, 100);
	log_to(NULL, NULL);
	assert_string_equal(line, "");
	assert_int_equal(h->state, HELD_LISTENING);
	fd_close(&client);
	end(&s, &t);
}

static void live_options_are_taken_over_or_left(void **state)
{
	struct socket_settings was = UNSET_SETTINGS, now = UNSET_SETTINGS, bad = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	socklen_t length = sizeof(int);
	struct err err = { 0 };
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &was, 0);
	int value = 0;

	(void)state;
	held_ref(h);
	now.keep_alive = 1;
	assert_int_equal(held_retune(h, &now, &err), 0);
	assert_int_equal(getsockopt(h->fd, SOL_SOCKET, SO_KEEPALIVE, &value, &length), 0);
	assert_int_equal(value, 1);
	bad.keep_alive_probes = 100000;
	assert_int_equal(held_retune(h, &bad, &err), -1);
	assert_ptr_equal(h->settings, &now);
	assert_int_equal(getsockopt(h->fd, SOL_SOCKET, SO_KEEPALIVE, &value, &length), 0);
	assert_int_equal(value, 1);
	assert_int_equal(held_retune(h, &was, &err), 0);
	assert_int_equal(getsockopt(h->fd, SOL_SOCKET, SO_KEEPALIVE, &value, &length), 0);
	assert_int_equal(value, 0);
	end(&s, &t);
}

static struct key path_key(char *directory)
{
	char text[96];

	assert_non_null(mkdtemp(directory));
	(void)snprintf(text, sizeof(text), "unix:%s/s", directory);
	return key_for(text);
}

static void a_path_goes_with_its_socket_and_only_then(void **state)
{
	char directory[] = "/tmp/holdport-test-XXXXXX";
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = path_key(directory);
	const char *path = address_path(&key.address);
	struct store s;
	struct told t = start(&s);
	int theirs;

	(void)state;
	held_ref(store_add(&s, &key, &settings, 0));
	assert_int_equal(access(path, F_OK), 0);
	held_unref(store_claim(&s, &key));
	assert_int_equal(access(path, F_OK), -1);

	/* Somebody put another one there. */
	held_ref(store_add(&s, &key, &settings, 0));
	assert_int_equal(unlink(path), 0);
	theirs = socket_open(&key, &settings, NULL);
	held_unref(store_claim(&s, &key));
	assert_int_equal(access(path, F_OK), 0);
	fd_close(&theirs);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
	end(&s, &t);
}

static void a_unix_listener_that_was_shut_down_is_bound_anew(void **state)
{
	char directory[] = "/tmp/holdport-test-XXXXXX", line[256] = "";
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = path_key(directory);
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &settings, 0);
	unsigned long inode = h->inode;
	int client;

	(void)state;
	held_ref(h);
	s.changed = on_changed;
	s.ctx = &t;
	log_to(drop_line, line);
	assert_int_equal(shutdown(h->fd, SHUT_RDWR), 0);
	run_until(&t, HELD_LISTENING);
	log_to(NULL, NULL);
	assert_non_null(strstr(line, "it is bound anew"));
	assert_int_not_equal(h->inode, inode);
	client = connect_to(&key);
	assert_true(client >= 0);
	fd_close(&client);
	end(&s, &t);
	assert_int_equal(rmdir(directory), 0);
}

static bool answers(const struct key *key)
{
	int fd = connect_to(key);
	bool connected = fd >= 0;

	fd_close(&fd);
	return connected;
}

/* Another process with SO_REUSEADDR, as servers have it. */
static bool can_be_stolen(const struct key *key)
{
	struct socket_settings plain = UNSET_SETTINGS;
	int fd = socket_open(key, &plain, NULL);
	bool stolen = fd >= 0;

	fd_close(&fd);
	return stolen;
}

static void a_socket_that_nobody_serves_refuses_and_keeps_its_address(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	struct store s;
	struct told t = start(&s);
	struct held *h;
	unsigned long inode;

	(void)state;
	settings.when_down = DOWN_REFUSE;
	h = store_add(&s, &key, &settings, 0);
	held_ref(h);
	inode = h->inode;
	for (int i = 0; i < 2; i++) {
		held_serve(h, false);
		held_serve(h, false);
		assert_int_equal(h->state, HELD_REFUSING);
		assert_false(answers(&key));
		assert_false(can_be_stolen(&key));
		run_for(t.loop, 20);	/* what it says of its end is not a worker's doing */
		assert_int_equal(h->state, HELD_REFUSING);
		held_serve(h, true);
		assert_int_equal(h->state, HELD_LISTENING);
		assert_true(answers(&key));
		assert_int_equal(h->inode, inode);
		assert_int_equal(h->bindings, 1);
	}
	/* And a worker's shutdown(2) is healed as ever. */
	assert_int_equal(shutdown(h->fd, SHUT_RD), 0);
	run_for(t.loop, 200);
	assert_true(answers(&key));
	end(&s, &t);
}

static void what_holds_never_refuses(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = loopback(free_port());
	struct store s;
	struct told t = start(&s);
	struct held *h = store_add(&s, &key, &settings, 0);

	(void)state;
	held_serve(h, false);
	assert_int_equal(h->state, HELD_LISTENING);
	assert_true(answers(&key));
	end(&s, &t);
}

static void a_refusing_socket_takes_new_settings(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS, later;
	struct key key = loopback(free_port());
	struct store s;
	struct told t = start(&s);
	struct held *h;

	(void)state;
	settings.when_down = DOWN_REFUSE;
	h = store_add(&s, &key, &settings, 0);
	held_serve(h, false);
	later = settings;
	later.backlog = 5;
	assert_int_equal(held_retune(h, &later, NULL), 0);
	assert_int_equal(h->state, HELD_REFUSING);
	assert_false(answers(&key));
	later.when_down = DOWN_HOLD;
	held_serve(h, false);
	assert_int_equal(h->state, HELD_LISTENING);
	assert_true(answers(&key));
	end(&s, &t);
}

static void a_unix_socket_that_refused_is_bound_anew(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	char directory[] = "/tmp/holdport-test-XXXXXX", text[128];
	struct store s;
	struct told t = start(&s);
	struct key key;
	struct held *h;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(text, sizeof(text), "unix:%s/s", directory);
	key = key_for(text);
	settings.when_down = DOWN_REFUSE;
	h = store_add(&s, &key, &settings, 0);
	held_serve(h, false);
	assert_int_equal(h->state, HELD_REFUSING);
	assert_false(answers(&key));
	assert_int_equal(access(text + 5, F_OK), 0);
	held_serve(h, true);
	assert_int_equal(h->state, HELD_LISTENING);
	assert_int_equal(h->bindings, 2);
	assert_true(answers(&key));
	end(&s, &t);
	assert_int_equal(access(text + 5, F_OK), -1);
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_that_nobody_serves_refuses_and_keeps_its_address),
		cmocka_unit_test(what_holds_never_refuses),
		cmocka_unit_test(a_refusing_socket_takes_new_settings),
		cmocka_unit_test(a_unix_socket_that_refused_is_bound_anew),
		cmocka_unit_test(what_was_added_is_claimed_by_its_key),
		cmocka_unit_test(the_last_reference_closes),
		cmocka_unit_test(a_busy_address_is_waited_for_and_then_bound),
		cmocka_unit_test(a_waiting_socket_may_be_let_go),
		cmocka_unit_test(a_listener_that_was_shut_down_listens_again),
		cmocka_unit_test(one_that_is_shut_down_in_a_loop_is_healed_at_a_pace),
		cmocka_unit_test(connections_do_not_wake_the_loop),
		cmocka_unit_test(live_options_are_taken_over_or_left),
		cmocka_unit_test(a_path_goes_with_its_socket_and_only_then),
		cmocka_unit_test(a_unix_listener_that_was_shut_down_is_bound_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
