/* Signals on their way down are taken by this manager, or told to the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "keeper/passed.h"

static void one_that_is_taken_is_done(void **state)
{
	struct passed p = { .deadline = 0 };
	int64_t deadline;

	(void)state;
	passed_await(&p, SIGHUP);
	deadline = p.deadline;
	assert_true(deadline > 0);
	passed_await(&p, SIGTERM);
	assert_int_equal(p.deadline, deadline);		/* that of the oldest */
	passed_taken(&p, SIGHUP);
	passed_taken(&p, NSIG + 1);
	assert_int_equal(p.deadline, deadline);
	passed_taken(&p, SIGTERM);
	assert_int_equal(p.deadline, 0);
	passed_wind_up(&p);
	assert_int_equal(p.deadline, 0);
}

static void what_one_did_not_take_the_next_is_told(void **state)
{
	struct passed p = { .deadline = 0 };

	(void)state;
	p.put_off[SIGUSR1] = true;
	passed_await(&p, SIGHUP);
	passed_await(&p, SIGHUP);
	passed_await(&p, SIGTERM);
	passed_taken(&p, SIGTERM);
	passed_take_back(&p);
	assert_int_equal(p.deadline, 0);
	assert_int_equal(passed_next(&p, 0), SIGHUP);
	p.put_off[SIGHUP] = true;			/* it could not be told: not twice in a row */
	assert_int_equal(passed_next(&p, SIGHUP), SIGUSR1);
	assert_int_equal(passed_next(&p, SIGUSR1), 0);
}

static void another_image_waits_for_the_same(void **state)
{
	struct passed p = { .deadline = 0 }, again = { .deadline = 0 };
	sigset_t set;

	(void)state;
	passed_await(&p, SIGUSR2);
	passed_write(&p, &set);
	passed_read(&again, &set);
	assert_memory_equal(again.untaken, p.untaken, sizeof(p.untaken));
	assert_true(again.deadline > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_taken_is_done),
		cmocka_unit_test(what_one_did_not_take_the_next_is_told),
		cmocka_unit_test(another_image_waits_for_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
