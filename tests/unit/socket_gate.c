/* The gate before an address, in a real loop. */
#include "socket_support.h"

#include <errno.h>

#include "base/owner.h"
#include "socket/gate.h"
#include "socket/open.h"

struct waiter {
	struct gate gate;
	struct loop *loop;
	struct key key;
	struct loop_timer late;
	int tries, stop_after, lates;
};

static void on_go(struct gate *g)
{
	struct waiter *w = OWNER(g, struct waiter, gate);
	struct attempt a = { .key = &w->key, .sharing = true, .why = EADDRINUSE };

	if (++w->tries >= w->stop_after)
		loop_stop(w->loop);
	else
		(void)gate_shut(&w->gate, &a, 60000);
}

static void on_late(struct gate *g)
{
	OWNER(g, struct waiter, gate)->lates++;
}

static void on_time_over(struct loop_timer *t)
{
	loop_stop(OWNER(t, struct waiter, late)->loop);
}

/* Lets it wait at most so long. */
static void wait_for(struct waiter *w, int64_t ms)
{
	loop_timer_start(w->loop, &w->late, ms, on_time_over);
	loop_run(w->loop);
	loop_timer_stop(&w->late);
}

static void begin(struct waiter *w, int port, int stop_after, int64_t patience)
{
	struct attempt a = { .key = &w->key, .sharing = true, .why = EADDRINUSE };

	*w = (struct waiter){ .loop = loop_new(NULL), .key = key_for("127.0.0.1:1"),
			      .stop_after = stop_after };
	set_port(&w->key, port);
	gate_init(&w->gate, w->loop, &w->key, on_go, on_late);
	assert_true(gate_shut(&w->gate, &a, patience));
	assert_false(gate_shut(&w->gate, &a, patience));	/* for the same reason */
}

static void finish(struct waiter *w)
{
	gate_open(&w->gate);
	loop_free(w->loop);
}

static int listener(void)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");

	set_port(&key, 0);
	return socket_open(&key, &s, NULL);
}

/* The bind failed, and when it is looked at nothing is there. */
static void what_went_between_question_and_answer_is_tried_for_at_once(void **state)
{
	struct waiter w;

	(void)state;
	begin(&w, free_port(), 3, 60000);
	wait_for(&w, 1000);
	assert_int_equal(w.tries, 3);
	finish(&w);
}

static void a_listener_is_waited_for_until_it_goes(void **state)
{
	int fd = listener();
	struct waiter w;

	(void)state;
	begin(&w, port_of_fd(fd), 100, 60000);
	wait_for(&w, 200);
	assert_in_range(w.tries, 0, 2);
	w.stop_after = w.tries + 1;
	fd_close(&fd);
	wait_for(&w, 1000);
	assert_int_equal(w.tries, w.stop_after);
	finish(&w);
}

static void patience_ends_once_and_can_be_changed(void **state)
{
	int fd = listener();
	struct waiter w;

	(void)state;
	begin(&w, port_of_fd(fd), 100, 60000);
	wait_for(&w, 50);
	assert_int_equal(w.lates, 0);
	gate_patience(&w.gate, 10);
	wait_for(&w, 200);
	assert_int_equal(w.lates, 1);
	assert_true(w.gate.over);
	finish(&w);
	assert_false(w.gate.over);
	fd_close(&fd);
}

static void nothing_is_heard_while_it_is_open(void **state)
{
	int fd = listener();
	struct waiter w;

	(void)state;
	begin(&w, port_of_fd(fd), 100, 60000);
	assert_true(w.gate.hears >= 0);
	gate_open(&w.gate);
	assert_int_equal(w.gate.hears, -1);
	assert_int_equal(w.gate.since, 0);
	fd_close(&fd);
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_went_between_question_and_answer_is_tried_for_at_once),
		cmocka_unit_test(a_listener_is_waited_for_until_it_goes),
		cmocka_unit_test(patience_ends_once_and_can_be_changed),
		cmocka_unit_test(nothing_is_heard_while_it_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
