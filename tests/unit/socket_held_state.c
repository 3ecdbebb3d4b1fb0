/* The whole table of a held socket's life. */
#include "socket_support.h"

#include "socket/held_state.h"

static unsigned reach(enum held_state from)
{
	unsigned seen = 1u << from, before = 0;

	while (seen != before) {
		before = seen;
		for (int s = 0; s < HELD_STATE_COUNT; s++)
			for (int e = 0; seen & (1u << s) && e < HELD_EVENT_COUNT; e++)
				if (held_arrow(s, e)->act)
					seen |= 1u << held_arrow(s, e)->to;
	}
	return seen;
}

static void nobody_is_stuck_before_the_end(void **state)
{
	(void)state;
	for (int s = 0; s < HELD_STATE_COUNT; s++) {
		assert_true(reach(s) & (1u << HELD_CLOSED));
		if (s == HELD_CLOSED)
			continue;
		assert_true(reach(s) & (1u << HELD_LISTENING));
		assert_int_equal(held_arrow(s, HELD_EV_RETIRED)->to, HELD_CLOSED);
		assert_int_equal(held_arrow(s, HELD_EV_RETIRED)->act, HELD_RELEASE);
	}
}

static void what_is_closed_stays_closed(void **state)
{
	(void)state;
	for (int e = 0; e < HELD_EVENT_COUNT; e++)
		assert_int_equal(held_arrow(HELD_CLOSED, e)->act, HELD_NOTHING);
}

static void every_state_has_its_word(void **state)
{
	(void)state;
	assert_string_equal(held_state_word(HELD_NEW), "new");
	assert_string_equal(held_state_word(HELD_WAITING), "waiting");
	assert_string_equal(held_state_word(HELD_LISTENING), "listening");
	assert_string_equal(held_state_word(HELD_REFUSING), "refusing");
	assert_string_equal(held_state_word(HELD_CLOSED), "closed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_stuck_before_the_end),
		cmocka_unit_test(what_is_closed_stays_closed),
		cmocka_unit_test(every_state_has_its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
