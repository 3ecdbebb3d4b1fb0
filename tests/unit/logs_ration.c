/* So many lines a second, and so many at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "logs/ration.h"

static void as_many_as_come_in_a_second_may_come_at_once(void **state)
{
	struct ration r = { 0 };

	(void)state;
	ration_set(&r, 10, 0, 5000);
	assert_int_equal(ration_take(&r, 4, 5000), 4);
	assert_int_equal(ration_take(&r, 20, 5000), 6);
	assert_int_equal(ration_take(&r, 1, 5099), 0);
	assert_int_equal(ration_take(&r, 5, 5100), 1);
	assert_int_equal(ration_take(&r, 5, 5350), 2);
	assert_int_equal(ration_take(&r, 5, 5400), 1);
	assert_int_equal(ration_take(&r, 1000, 1000000), 10);
}

static void more_may_come_at_once(void **state)
{
	struct ration r = { 0 };

	(void)state;
	ration_set(&r, 1, 100, 0);
	assert_int_equal(ration_take(&r, 1000, 0), 100);
	assert_int_equal(ration_take(&r, 1000, 50000), 50);
	assert_int_equal(ration_take(&r, 1000, INT64_MAX), 100);
}

static void another_worker_gets_no_ration_of_its_own(void **state)
{
	struct ration r = { 0 };

	(void)state;
	ration_set(&r, 10, 10, 0);
	assert_int_equal(ration_take(&r, 10, 0), 10);
	ration_set(&r, 20, 20, 0);
	assert_int_equal(ration_take(&r, 10, 0), 0);
	assert_int_equal(ration_take(&r, 10, 100), 2);
	ration_give_back(&r, 1);
	assert_int_equal(ration_take(&r, 10, 100), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_come_in_a_second_may_come_at_once),
		cmocka_unit_test(more_may_come_at_once),
		cmocka_unit_test(another_worker_gets_no_ration_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
