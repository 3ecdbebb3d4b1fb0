/* What becomes a line, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "logs/lines.h"

enum { ALL = 1 << 20 };

static size_t lines;
static struct str out;

static size_t take(const char *front, const char *text, bool rest, size_t most)
{
	const struct lines_form form = { front, rest, most };

	str_clear(&out);
	lines = 0;
	return lines_take(&form, text, strlen(text), &out, &lines);
}

static void expect(size_t took, size_t used, size_t count, const char *text)
{
	assert_int_equal(took, used);
	assert_int_equal(lines, count);
	assert_string_equal(str_text(&out), text);
}

static void whole_lines_are_taken(void **state)
{
	(void)state;
	expect(take("", "a\nbc\n", false, ALL), 5, 2, "a\nbc\n");
	expect(take("> ", "a\n\nbc\n", false, ALL), 6, 3, "> a\n> \n> bc\n");
	expect(take("", "", false, ALL), 0, 0, "");
}

static void half_a_line_waits(void **state)
{
	(void)state;
	expect(take("> ", "a\nbc", false, ALL), 2, 1, "> a\n");
	expect(take("> ", "bc", false, ALL), 0, 0, "");
}

static void the_last_one_is_ended(void **state)
{
	(void)state;
	expect(take("> ", "a\nbc", true, ALL), 4, 2, "> a\n> bc\n");
	expect(take("", "a\nbc", true, ALL), 4, 2, "a\nbc\n");
	expect(take("", "a\n", true, ALL), 2, 1, "a\n");
}

static void a_long_one_comes_in_pieces(void **state)
{
	char text[2 * LINES_MOST + 1];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(take("", text, false, ALL), 2 * LINES_MOST);
	assert_int_equal(out.length, 2 * LINES_MOST);
	assert_int_equal(take("> ", text, false, ALL), 2 * LINES_MOST);
	assert_int_equal(out.length, 2 * (LINES_MOST + 3));
	assert_int_equal(lines, 2);
	text[LINES_MOST - 1] = '\0';
	assert_int_equal(take("> ", text, false, ALL), 0);
}

static void bytes_are_bytes(void **state)
{
	const char text[] = "a\0b\r\xff\n";
	const struct lines_form form = { "> ", false, ALL };

	(void)state;
	str_clear(&out);
	assert_int_equal(lines_take(&form, text, sizeof(text) - 1, &out, &lines), 6);
	assert_memory_equal(out.data, "> a\0b\r\xff\n", 8);
}

static void only_so_much_at_a_time_but_always_one(void **state)
{
	(void)state;
	expect(take("> ", "a\nb\nc\n", false, 8), 4, 2, "> a\n> b\n");
	expect(take("> ", "abcdef\nb\n", false, 1), 7, 1, "> abcdef\n");
	str_fini(&out);
}

static void what_is_not_touched_is_cut_behind_lines(void **state)
{
	char text[LINES_MOST + 5];

	(void)state;
	assert_int_equal(lines_whole("a\nbc", 4), 2);
	assert_int_equal(lines_whole("abc", 3), 0);
	assert_int_equal(lines_whole("", 0), 0);
	memset(text, 'x', sizeof(text));
	assert_int_equal(lines_whole(text, sizeof(text)), LINES_MOST);
	assert_int_equal(lines_count("a\nb\nc", 5), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lines_are_taken),
		cmocka_unit_test(half_a_line_waits),
		cmocka_unit_test(the_last_one_is_ended),
		cmocka_unit_test(a_long_one_comes_in_pieces),
		cmocka_unit_test(bytes_are_bytes),
		cmocka_unit_test(what_is_not_touched_is_cut_behind_lines),
		cmocka_unit_test(only_so_much_at_a_time_but_always_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
