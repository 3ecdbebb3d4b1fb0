/* A digest tells one text from another, wherever they differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/str.h"

enum { LENGTH = 37 };		/* more than some words, and no whole number of them */

static uint64_t digest_of(char *text, size_t length)
{
	return str_digest(&(struct str){ .data = text, .length = length });
}

static void each_bit_of_a_text_counts(void **state)
{
	char text[LENGTH] = "the last word on something counts...";
	uint64_t before = digest_of(text, LENGTH);

	(void)state;
	for (int bit = 0; bit < 8 * LENGTH; bit++) {
		text[bit / 8] ^= (char)(1 << bit % 8);
		assert_true(digest_of(text, LENGTH) != before);
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_true(digest_of(text, LENGTH) == before);
}

/* High bits of two words must not make up for each other. */
static void two_changes_do_not_cancel(void **state)
{
	char text[LENGTH] = { 0 };
	uint64_t before = digest_of(text, LENGTH);

	(void)state;
	for (int first = 1; first < 256; first++)
		for (int second = 0; second < 256; second++) {
			text[7] = (char)first;
			text[15] = (char)second;
			assert_true(digest_of(text, LENGTH) != before);
		}
}

static void its_length_counts(void **state)
{
	char text[LENGTH] = { 0 };

	(void)state;
	for (size_t length = 1; length < LENGTH; length++)
		assert_true(digest_of(text, length) != digest_of(text, length - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bit_of_a_text_counts),
		cmocka_unit_test(two_changes_do_not_cancel),
		cmocka_unit_test(its_length_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
