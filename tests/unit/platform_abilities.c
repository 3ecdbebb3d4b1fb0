/* What this system can is found out once, or believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "platform/platform.h"

static void what_was_tried_is_known(void **state)
{
	bool can;

	(void)state;
	assert_false(platform_could(CAN_HOLD_PROCESS));
	can = platform_can(CAN_HOLD_PROCESS);
	assert_int_equal(platform_could(CAN_HOLD_PROCESS), can);
}

static void what_is_believed_is_not_tried(void **state)
{
	(void)state;
	assert_false(platform_could(CAN_FIND_ACCEPTOR));
	platform_believe(CAN_FIND_ACCEPTOR);
	assert_true(platform_could(CAN_FIND_ACCEPTOR));
	assert_true(platform_can(CAN_FIND_ACCEPTOR));
	assert_false(platform_could(CAN_FIND_LISTENER));	/* which it would have been found by */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_tried_is_known),
		cmocka_unit_test(what_is_believed_is_not_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
