/* The state machines, whole: every cell of every table is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "process/worker_state.h"
#include "rollout/generation_state.h"
#include "rollout/program_state.h"
#include "socket/held_state.h"

/* The set of states that can be reached from one, itself included. */
typedef int next_fn(int state, int event);	/* -1: no arrow */

static unsigned reach(int from, int events, next_fn *next)
{
	unsigned seen = 1u << from, before;

	do {
		before = seen;
		for (int s = 0; s < 32; s++)
			for (int e = 0; (seen & (1u << s)) && e < events; e++)
				if (next(s, e) >= 0)
					seen |= 1u << next(s, e);
	} while (seen != before);
	return seen;
}

static int next_worker(int s, int e)
{
	const struct worker_arrow *a;

	if (s >= WORKER_STATE_COUNT)
		return -1;
	a = worker_arrow((enum worker_state)s, (enum worker_event)e);
	return a->act == WORKER_NOTHING ? -1 : (int)a->to;
}

static void a_worker_in_any_state_can_end_and_its_death_is_heard(void **state)
{
	(void)state;
	for (int s = 0; s < WORKER_STATE_COUNT; s++) {
		assert_true(reach(s, WORKER_EVENT_COUNT, next_worker) & (1u << WORKER_GONE));
		if (s == WORKER_GONE)
			continue;
		assert_int_equal(next_worker(s, WORKER_EV_EXITED), WORKER_GONE);
		assert_true(worker_may_hold((enum worker_state)s) & WORKER_HOLDS_CHILD);
	}
	for (int e = 0; e < WORKER_EVENT_COUNT; e++)
		assert_int_equal(next_worker(WORKER_GONE, e), -1);
	assert_int_equal(worker_may_hold(WORKER_GONE), 0);
}

static void a_worker_that_was_asked_to_stop_never_serves_again(void **state)
{
	unsigned after;

	(void)state;
	after = reach(WORKER_DRAINING, WORKER_EVENT_COUNT, next_worker);
	assert_false(after & (1u << WORKER_SERVING));
	assert_false(after & (1u << WORKER_STARTING));
}

/* One rung for being empty: what that one asks for takes its time again. */
static void an_empty_worker_gets_one_rung_and_only_if_it_drains(void **state)
{
	(void)state;
	for (int s = 0; s < WORKER_STATE_COUNT; s++)
		assert_int_equal(next_worker(s, WORKER_EV_EMPTY),
				 s == WORKER_DRAINING ? WORKER_STOPPING : -1);
}

static void the_last_rung_can_be_had_from_everywhere(void **state)
{
	(void)state;
	for (int s = 0; s < WORKER_GONE; s++)
		if (s != WORKER_KILLING)
			assert_int_equal(next_worker(s, WORKER_EV_KILL), WORKER_KILLING);
	assert_int_equal(next_worker(WORKER_KILLING, WORKER_EV_STOP), -1);
}

static void patience_runs_only_where_it_is_for_something(void **state)
{
	(void)state;
	for (int s = 0; s < WORKER_STATE_COUNT; s++) {
		bool waits = next_worker(s, WORKER_EV_DEADLINE) >= 0 ||
			     next_worker(s, WORKER_EV_LATE) >= 0;

		assert_int_equal(waits, !!(worker_may_hold((enum worker_state)s) &
					   WORKER_HOLDS_DEADLINE));
	}
}

static int next_generation(int s, int e)
{
	const struct generation_arrow *a;

	if (s >= GENERATION_STATE_COUNT)
		return -1;
	a = generation_arrow((enum generation_state)s, (enum generation_event)e);
	return a->act == GENERATION_NOTHING ? -1 : (int)a->to;
}

static void a_generation_in_any_state_can_go(void **state)
{
	(void)state;
	for (int s = 0; s < GENERATION_STATE_COUNT; s++)
		assert_true(reach(s, GENERATION_EVENT_COUNT, next_generation) &
			    (1u << GENERATION_GONE));
}

static void a_generation_becomes_current_only_by_proof_and_leaves_only_when_retired(void **state)
{
	(void)state;
	for (int s = 0; s < GENERATION_STATE_COUNT; s++)
		for (int e = 0; e < GENERATION_EVENT_COUNT; e++)
			if (s != GENERATION_CURRENT && next_generation(s, e) == GENERATION_CURRENT)
				assert_int_equal(e, GENERATION_EV_PROVED);
	for (int e = 0; e < GENERATION_EVENT_COUNT; e++)
		if (next_generation(GENERATION_CURRENT, e) >= 0)
			assert_int_equal(e, GENERATION_EV_RETIRE);
}

static void a_generation_that_failed_or_drains_never_comes_back(void **state)
{
	unsigned after;

	(void)state;
	after = reach(GENERATION_FAILED, GENERATION_EVENT_COUNT, next_generation) |
		reach(GENERATION_DRAINING, GENERATION_EVENT_COUNT, next_generation);
	assert_int_equal(after & (1u << GENERATION_CURRENT), 0);
	assert_int_equal(after & (1u << GENERATION_PROVING), 0);
}

static int next_program(int s, int e)
{
	enum program_state to;

	if (s >= PROGRAM_STATE_COUNT)
		return -1;
	to = program_arrow((enum program_state)s, (enum program_event)e);
	return to == PROGRAM_STATE_COUNT ? -1 : (int)to;
}

static void a_program_in_any_state_can_be_brought_to_run_and_to_stop(void **state)
{
	(void)state;
	for (int s = 0; s < PROGRAM_STATE_COUNT; s++) {
		unsigned all = reach(s, PROGRAM_EVENT_COUNT, next_program);

		assert_true(all & (1u << PROGRAM_RUNNING));
		assert_true(all & (1u << PROGRAM_STOPPED));
		if (s != PROGRAM_STOPPED && s != PROGRAM_STOPPING)
			assert_int_equal(next_program(s, PROGRAM_EV_STOP), PROGRAM_STOPPING);
	}
}

static void a_program_runs_only_by_proof_or_by_what_ran_before(void **state)
{
	(void)state;
	for (int s = 0; s < PROGRAM_STATE_COUNT; s++)
		for (int e = 0; e < PROGRAM_EVENT_COUNT; e++)
			if (next_program(s, e) == PROGRAM_RUNNING)
				assert_true(e == PROGRAM_EV_PROVED || e == PROGRAM_EV_REVERTED ||
					    e == PROGRAM_EV_HEALED);
}

static void every_state_of_a_program_has_a_word_that_leads_back(void **state)
{
	(void)state;
	for (int s = 0; s < PROGRAM_STATE_COUNT; s++)
		assert_int_equal(program_state_from_word(program_state_word((enum program_state)s)),
				 s);
	assert_int_equal(program_state_from_word("runing"), PROGRAM_STATE_COUNT);
}

static int next_held(int s, int e)
{
	const struct held_arrow *a;

	if (s >= HELD_STATE_COUNT)
		return -1;
	a = held_arrow((enum held_state)s, (enum held_event)e);
	return a->act == HELD_NOTHING ? -1 : (int)a->to;
}

static void a_held_socket_closes_only_when_nobody_wants_it(void **state)
{
	(void)state;
	for (int s = 0; s < HELD_STATE_COUNT; s++)
		for (int e = 0; e < HELD_EVENT_COUNT; e++)
			if (next_held(s, e) == HELD_CLOSED)
				assert_int_equal(e, HELD_EV_RETIRED);
	for (int s = 0; s < HELD_CLOSED; s++)
		assert_true(reach(s, HELD_EVENT_COUNT, next_held) & (1u << HELD_LISTENING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_in_any_state_can_end_and_its_death_is_heard),
		cmocka_unit_test(a_worker_that_was_asked_to_stop_never_serves_again),
		cmocka_unit_test(an_empty_worker_gets_one_rung_and_only_if_it_drains),
		cmocka_unit_test(the_last_rung_can_be_had_from_everywhere),
		cmocka_unit_test(patience_runs_only_where_it_is_for_something),
		cmocka_unit_test(a_generation_in_any_state_can_go),
		cmocka_unit_test(a_generation_becomes_current_only_by_proof_and_leaves_only_when_retired),
		cmocka_unit_test(a_generation_that_failed_or_drains_never_comes_back),
		cmocka_unit_test(a_program_in_any_state_can_be_brought_to_run_and_to_stop),
		cmocka_unit_test(a_program_runs_only_by_proof_or_by_what_ran_before),
		cmocka_unit_test(every_state_of_a_program_has_a_word_that_leads_back),
		cmocka_unit_test(a_held_socket_closes_only_when_nobody_wants_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
