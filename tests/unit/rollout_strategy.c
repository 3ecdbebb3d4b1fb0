/* The next step from old workers to new ones, as seats in and seats out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/owner.h"
#include "rollout/backoff.h"
#include "rollout/strategy.h"

#define C      SEAT_CLOSED
#define O      SEAT_OPENING
#define P      SEAT_PROVED
#define OPEN   SEAT_OPEN
#define CLOSE  SEAT_CLOSE
#define THEIRS SEAT_CLOSE_OTHERS

static const struct row {
	const char *sentence;
	enum strategy strategy;
	size_t wanted, batch;
	enum seat_sight target[4];
	bool others[4], alive;
	unsigned steps[4];
	bool complete;
} rows[] = {
	{ "rolling opens one seat first", STRATEGY_ROLLING, 3, 1,
	  { C, C, C, C }, { 1, 1, 1 }, true, { OPEN }, false },
	{ "rolling opens a batch", STRATEGY_ROLLING, 3, 2,
	  { C, C, C, C }, { 1, 1, 1 }, true, { OPEN, OPEN }, false },
	{ "rolling waits for the proof", STRATEGY_ROLLING, 3, 1,
	  { O, C, C, C }, { 1, 1, 1 }, true, { 0 }, false },
	{ "rolling lets the old one go and opens the next", STRATEGY_ROLLING, 3, 1,
	  { P, C, C, C }, { 1, 1, 1 }, true, { THEIRS, OPEN }, false },
	{ "rolling is complete when all are proved", STRATEGY_ROLLING, 2, 1,
	  { P, P, C, C }, { 0, 1 }, true, { 0, THEIRS }, true },
	{ "an old seat beyond the wanted ones stays until the end", STRATEGY_ROLLING, 1, 1,
	  { O, C, C, C }, { 1, 1 }, true, { 0 }, false },
	{ "overlap opens everything and touches nobody", STRATEGY_OVERLAP, 3, 1,
	  { C, C, C, C }, { 1, 1, 1 }, true, { OPEN, OPEN, OPEN }, false },
	{ "overlap keeps the old ones while one is missing", STRATEGY_OVERLAP, 2, 1,
	  { P, O, C, C }, { 1, 1 }, true, { 0 }, false },
	{ "replace closes the old ones and opens nothing yet", STRATEGY_REPLACE, 2, 1,
	  { C, C, C, C }, { 1, 1 }, true, { THEIRS, THEIRS }, false },
	{ "replace waits for the last of them", STRATEGY_REPLACE, 2, 1,
	  { C, C, C, C }, { 0, 0 }, true, { 0 }, false },
	{ "replace opens when nobody is left", STRATEGY_REPLACE, 2, 1,
	  { C, C, C, C }, { 0, 0 }, false, { OPEN, OPEN }, false },
	{ "a seat that is not wanted any more is closed", STRATEGY_OVERLAP, 1, 1,
	  { P, P, C, C }, { 0, 0 }, false, { 0, CLOSE }, true },
	{ "nobody wanted is complete", STRATEGY_OVERLAP, 0, 1,
	  { P, C, C, C }, { 0, 0 }, false, { CLOSE }, true },
};

static void each_row_is_the_next_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct strategy_view v = {
			.strategy = r->strategy, .wanted = r->wanted, .batch = r->batch,
			.count = 4, .target = r->target, .others = r->others,
			.others_alive = r->alive,
		};
		unsigned steps[4];

		print_message("%s\n", r->sentence);
		assert_int_equal(strategy_next(&v, steps), r->complete);
		assert_memory_equal(steps, r->steps, sizeof(steps));
	}
}

static void the_pause_doubles_up_to_the_most_with_a_quarter_of_jitter(void **state)
{
	(void)state;
	for (unsigned random = 0; random < 1000; random++) {
		assert_in_range(backoff_delay(100, 30000, 1, random), 75, 100);
		assert_in_range(backoff_delay(100, 30000, 2, random), 150, 200);
		assert_in_range(backoff_delay(100, 30000, 9, random), 19200, 25600);
		assert_in_range(backoff_delay(100, 30000, 4000000000u, random), 22500, 30000);
	}
	assert_in_range(backoff_delay(0, 0, 3, 5), 0, 1);
	assert_in_range(backoff_delay(1, INT64_MAX / 4, 70, 7), 1, INT64_MAX / 4);
}

static void a_storm_is_let_through_at_ten_a_second(void **state)
{
	struct storm s = { 0 };
	int64_t now = 5000;

	(void)state;
	for (int i = 0; i < STORM_A_SECOND; i++)
		assert_int_equal(storm_pause(&s, now), 0);
	assert_int_equal(storm_pause(&s, now), 100);
	assert_int_equal(storm_pause(&s, now), 200);
	assert_int_equal(storm_pause(&s, now + 60000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_the_next_step),
		cmocka_unit_test(the_pause_doubles_up_to_the_most_with_a_quarter_of_jitter),
		cmocka_unit_test(a_storm_is_let_through_at_ten_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
