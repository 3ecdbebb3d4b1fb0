/* The turn of the real loop: what is put off, and what is heard meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_put_off_is_done_in_order_and_others_are_heard_meanwhile, begin,
			end),
		cmocka_unit_test_setup_teardown(what_puts_itself_off_again_does_not_make_it_sleep,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
