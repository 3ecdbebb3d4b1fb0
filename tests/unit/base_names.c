/* A name is found by its text, among however many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/names.h"

enum { MANY = 3000 };

static void nobody_is_found_where_nobody_was_put(void **state)
{
	struct names n = { 0 };

	(void)state;
	assert_null(names_find(&n, "web"));
	names_put(&n, "web", &n);
	assert_null(names_find(&n, "we"));
	assert_null(names_find(&n, ""));
	names_fini(&n);
	assert_null(names_find(&n, "web"));
}

static void each_of_many_is_found(void **state)
{
	static char texts[MANY][16];
	struct names n = { 0 };
	char again[16];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "p%d", i);
		names_put(&n, texts[i], texts[i]);
	}
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(again, sizeof(again), "p%d", i);
		assert_ptr_equal(names_find(&n, again), texts[i]);
	}
	assert_null(names_find(&n, "p3000"));
	names_fini(&n);
}

static void of_two_the_first_counts(void **state)
{
	struct names n = { 0 };
	int first, second;

	(void)state;
	names_put(&n, "web", &first);
	names_put(&n, "web", &second);
	assert_ptr_equal(names_find(&n, "web"), &first);
	assert_int_equal(n.count, 1);
	names_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_found_where_nobody_was_put),
		cmocka_unit_test(each_of_many_is_found),
		cmocka_unit_test(of_two_the_first_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
