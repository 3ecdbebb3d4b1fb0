/* Which new generation is taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/owner.h"
#include "rollout/doubt.h"

#define YOUNG .window = 1000, .age = 10, .has_better = true

static const struct row {
	const char *sentence;
	struct doubt doubt;
	bool condemned;
} rows[] = {
	{ "nothing was seen of it", { YOUNG }, false },
	{ "it is sick", { YOUNG, .sick = true }, true },
	{ "one worker died", { YOUNG, .deaths = 1 }, false },
	{ "its workers keep dying", { YOUNG, .deaths = DOUBT_DEATHS }, true },
	{ "one ended badly for good", { YOUNG, .deaths = 1, .given_up = true }, true },
	{ "there is no window", { .age = 0, .has_better = true, .sick = true }, false },
	{ "the window is over",
	  { .window = 1000, .age = 1001, .has_better = true, .sick = true }, false },
	{ "at the end of the window",
	  { .window = 1000, .age = 1000, .has_better = true, .sick = true }, true },
	{ "there is nothing else to go back to", { .window = 1000, .sick = true }, false },
	{ "it was itself gone back to", { YOUNG, .judged = true, .sick = true }, false },
};

static void each_row_is_true(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (doubt_condemns(&rows[i].doubt) != rows[i].condemned)
			fail_msg("%s", rows[i].sentence);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_row_is_true) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
