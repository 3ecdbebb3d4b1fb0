/* So many wrong answers in a row are news. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/owner.h"
#include "health/vitals.h"

/* w: well, x: wrong; and what came of each: '.', S(ick), W(ell again). */
static const struct row {
	const char *answers, *news, *word;
	int64_t failures;
} rows[] = {
	{ "", "", NULL, 3 },
	{ "ww", "..", "well", 3 },
	{ "x", ".", "failing", 3 },
	{ "xxw", "...", "well", 3 },
	{ "xxwxx", ".....", "failing", 3 },
	{ "xxx", "..S", "sick", 3 },
	{ "xxxx", "..S.", "sick", 3 },
	{ "xxxxxx", "..S..S", "sick", 3 },
	{ "xxxwx", "..SW.", "failing", 3 },
	{ "xx", "SS", "sick", 1 },
	{ "xw", "SW", "well", 1 },
};

static void each_row_is_true(void **state)
{
	static const char words[] = { [VITALS_NO_NEWS] = '.', [VITALS_SICK] = 'S',
				      [VITALS_WELL] = 'W' };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vitals v = { 0 };

		for (const char *a = rows[i].answers; *a; a++) {
			enum vitals_news news = vitals_note(&v, *a == 'w', rows[i].failures);

			assert_int_equal(words[news], rows[i].news[a - rows[i].answers]);
		}
		if (rows[i].word)
			assert_string_equal(vitals_word(&v), rows[i].word);
		else
			assert_null(vitals_word(&v));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_row_is_true) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
