/* Whose worker is replaced next, as seats in and one out; and how long after one
 * that did not help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/owner.h"
#include "rollout/renew.h"

#define WELL	      { .serves = true }
#define OLD(when)     { .serves = true, .why = RENEW_AGE, .since = (when) }
#define SICK(when)    { .serves = true, .why = RENEW_HEALTH, .since = (when) }
#define STARTS	      { .serves = false }
#define FOLLOWED(w)   { .serves = true, .busy = true, .why = (w) }

static const struct row {
	const char *sentence;
	bool alone;
	struct renew_seat seats[3];
	int next;
} rows[] = {
	{ "nobody is replaced without a reason", false, { WELL, WELL, WELL }, -1 },
	{ "the one that is too old is", false, { WELL, OLD(5), WELL }, 1 },
	{ "who was found first goes first", false, { OLD(9), OLD(7), OLD(8) }, 1 },
	{ "of two that were found at once, the first", false, { WELL, OLD(7), OLD(7) }, 1 },
	{ "one at a time", false, { OLD(9), FOLLOWED(RENEW_AGE), WELL }, -1 },
	{ "not while another one is missing", false, { OLD(9), STARTS, WELL }, -1 },
	{ "too much memory goes before age", false,
	  { OLD(1), { .serves = true, .why = RENEW_MEMORY, .since = 9 }, WELL }, 1 },
	{ "who is not well goes before who is old", false, { OLD(1), SICK(9), WELL }, 1 },
	{ "also while another one is missing", false, { SICK(9), STARTS, WELL }, 0 },
	{ "all that are not well go, one by one", false, { SICK(9), SICK(8), SICK(7) }, 2 },
	{ "nobody is old while another one is not well", false,
	  { OLD(1), FOLLOWED(RENEW_HEALTH), WELL }, -1 },
	{ "old before new: not while another one is missing", true, { SICK(9), STARTS, WELL }, -1 },
	{ "old before new: who is not well goes", true, { SICK(9), WELL, WELL }, 0 },
};

static void each_row_is_true(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct renew_view v = { .seats = rows[i].seats, .count = 3,
					      .alone = rows[i].alone };

		if (renew_next(&v) != rows[i].next)
			fail_msg("%s: %d", rows[i].sentence, renew_next(&v));
	}
}

/* Old before new: the last one that is well stays, unless there is only one. */
static void the_last_one_that_is_well_is_not_old(void **state)
{
	const struct renew_seat two[] = { OLD(1), SICK(9) }, one[] = { OLD(1) };

	(void)state;
	assert_int_equal(renew_next(&(struct renew_view){ .seats = two, .count = 2, .alone = true }),
			 1);
	assert_int_equal(renew_next(&(struct renew_view){ .seats = one, .count = 1, .alone = true }),
			 0);
}

static void the_most_urgent_reason_is_told(void **state)
{
	(void)state;
	assert_int_equal(renew_most(0), RENEW_NOT);
	assert_int_equal(renew_most(1U << RENEW_AGE), RENEW_AGE);
	assert_int_equal(renew_most(1U << RENEW_AGE | 1U << RENEW_HEALTH), RENEW_HEALTH);
	assert_int_equal(renew_most(1U << 31), RENEW_NOT);	/* of a later version */
}

static void nobody_is_nobody(void **state)
{
	(void)state;
	assert_int_equal(renew_next(&(struct renew_view){ .count = 0 }), -1);
}

static void each_that_did_not_help_doubles_the_pause(void **state)
{
	struct renewals r = { 0 };
	int64_t now = 1000000, pause = 0;

	(void)state;
	assert_int_equal(renewals_not_before(&r, 100), 0);
	for (int i = 0; i < 12; i++) {
		renewals_note(&r, 100, now);
		pause = renewals_not_before(&r, 100) - now;
		assert_int_equal(pause, i < 6 ? 100 << i : 6400);
		now += pause;
	}
	renewals_note(&r, 100, now + 4 * pause + 1);
	assert_int_equal(r.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_true),
		cmocka_unit_test(the_last_one_that_is_well_is_not_old),
		cmocka_unit_test(the_most_urgent_reason_is_told),
		cmocka_unit_test(nobody_is_nobody),
		cmocka_unit_test(each_that_did_not_help_doubles_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
