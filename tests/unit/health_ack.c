/* What acknowledges as einhorn's workers do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "health/ack.h"

static bool is(const char *line)
{
	return ack_is(line, strlen(line));
}

static void a_line_of_json_or_yaml_acknowledges(void **state)
{
	(void)state;
	assert_true(is("{\"command\":\"worker:ack\",\"pid\":12}"));
	assert_true(is("{\"pid\": 12, \"command\": \"worker:ack\"}"));
	assert_true(is("---%0Acommand: worker:ack%0Apid: 12%0A"));
}

static void nothing_else_does(void **state)
{
	(void)state;
	assert_false(is(""));
	assert_false(is("{\"command\":\"worker:ping\",\"id\":\"1\"}"));
	assert_false(is("worker:ack"));
	assert_false(ack_is("{\"command\":\"worker:ack\"}", 10));	/* no further than that */
	assert_false(ack_is("command\0worker:ac", 17));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_json_or_yaml_acknowledges),
		cmocka_unit_test(nothing_else_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
