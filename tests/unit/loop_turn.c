/* The turn of the real loop: what is put off, and what is heard meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/owner.h"
#include "loop/loop.h"

enum { MANY = 1000 };

static struct loop *loop;
static struct loop_later things[MANY];
static size_t done, done_when_heard, turns;
static int ends[2];

static int begin(void **state)
{
	(void)state;
	loop = loop_new(NULL);
	done = turns = 0;
	return pipe(ends);
}

static int end(void **state)
{
	(void)state;
	(void)close(ends[0]);
	(void)close(ends[1]);
	loop_free(loop);
	return 0;
}

static void on_late(struct loop_timer *t)
{
	(void)t;
	fail_msg("the loop slept while there was something to do");
}

static void on_heard(struct loop_io *io, int events)
{
	(void)events;
	done_when_heard = done;
	loop_io_stop(io);
}

static void on_thing(struct loop_later *l)
{
	assert_ptr_equal(l, &things[done]);
	if (++done == MANY)
		loop_stop(loop);
}

static void what_was_put_off_is_done_in_order_and_others_are_heard_meanwhile(void **state)
{
	struct loop_io io = { 0 };
	struct loop_timer late = { 0 };

	(void)state;
	assert_int_equal(write(ends[1], "x", 1), 1);
	loop_io_start(loop, &io, ends[0], LOOP_READ, on_heard);
	loop_timer_start(loop, &late, 20000, on_late);
	for (size_t i = 0; i < MANY; i++)
		loop_later_start(loop, &things[i], on_thing);
	loop_run(loop);
	assert_int_equal(done, MANY);
	assert_in_range(done_when_heard, 1, MANY / 10);
	loop_timer_stop(&late);
}

static void on_turn(struct loop_later *l)
{
	if (++turns < MANY)
		loop_later_start(loop, l, on_turn);
	else
		loop_stop(loop);
}

static void what_puts_itself_off_again_does_not_make_it_sleep(void **state)
{
	struct loop_timer late = { 0 };

	(void)state;
	loop_timer_start(loop, &late, 20000, on_late);
	loop_later_start(loop, &things[0], on_turn);
	loop_run(loop);
	assert_int_equal(turns, MANY);
	loop_timer_stop(&late);
}

/* The table of the loop, of which libev does not tell. */
static int epoll_of_loop(void)
{
	char path[300], what[64];
	struct dirent *e;
	DIR *d = opendir("/proc/self/fd");
	int found = -1;

	assert_non_null(d);
	while (found < 0 && (e = readdir(d))) {
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
		n = readlink(path, what, sizeof(what) - 1);
		if (n > 0 && strncmp(what, "anon_inode:[eventpoll]", (size_t)n) == 0)
			found = atoi(e->d_name);
	}
	(void)closedir(d);
	return found;
}

static void on_end(struct loop_io *io, int events)
{
	(void)events;
	loop_io_close(io, &ends[0]);
}

static void on_enough(struct loop_timer *t)
{
	(void)t;
	loop_stop(loop);
}

static void what_others_have_too_is_closed_without_a_new_table(void **state)
{
	struct epoll_event mark = { .events = EPOLLIN };
	struct loop_timer enough = { 0 };
	struct loop_io io = { 0 };
	int others = dup(ends[0]), marked[2];

	(void)state;
	assert_int_equal(pipe(marked), 0);
	loop_io_start(loop, &io, ends[0], LOOP_READ, on_end);
	(void)close(ends[1]);
	assert_int_equal(epoll_ctl(epoll_of_loop(), EPOLL_CTL_ADD, marked[0], &mark), 0);
	loop_timer_start(loop, &enough, 50, on_enough);
	loop_run(loop);
	assert_int_equal(ends[0], -1);
	/* It is there still: a new table would not have it. */
	assert_int_equal(epoll_ctl(epoll_of_loop(), EPOLL_CTL_DEL, marked[0], &mark), 0);
	(void)close(others);
	(void)close(marked[0]);
	(void)close(marked[1]);
}

static int heard, heard_when_hushed;

static void on_hangup(struct loop_signal *s)
{
	(void)s;
	if (++heard == 2)
		loop_stop(loop);
}

static void on_hushed(struct loop_timer *t)
{
	(void)t;
	heard_when_hushed = heard;
	platform_take_signals();
}

static void on_due(struct loop_timer *t)
{
	(void)raise(SIGHUP);		/* the handler has it; who watches does not know yet */
	loop_hush(loop, t, on_hushed);
	(void)raise(SIGHUP);
}

static void what_came_before_the_hush_is_heard_and_what_comes_waits(void **state)
{
	struct loop_timer due = { 0 }, late = { 0 };
	struct loop_signal hangup = { 0 };

	(void)state;
	loop_signal_start(loop, &hangup, SIGHUP, on_hangup);
	loop_timer_start(loop, &late, 20000, on_late);
	loop_timer_start(loop, &due, 0, on_due);
	loop_run(loop);
	assert_int_equal(heard_when_hushed, 1);
	assert_int_equal(heard, 2);
	loop_signal_stop(&hangup);
	loop_timer_stop(&late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_put_off_is_done_in_order_and_others_are_heard_meanwhile, begin,
			end),
		cmocka_unit_test_setup_teardown(
			what_came_before_the_hush_is_heard_and_what_comes_waits, begin, end),
		cmocka_unit_test_setup_teardown(what_puts_itself_off_again_does_not_make_it_sleep,
						begin, end),
		cmocka_unit_test_setup_teardown(
			what_others_have_too_is_closed_without_a_new_table, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
