/* What is in the way of a bind, decided from data: sockets at the port, and what the
 * bind said. */
#include "socket_support.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "base/owner.h"
#include "socket/gate.h"
#include "socket/rule.h"

#define SOCKETS_MOST 4
#define SECONDS	     1000

/* A socket at port 1: address, state, whether a process has it open, what is left. */
struct row {
	const char *at;
	int state, inode;
	int64_t ends_ms;
};

static struct bound bound_of(const struct row *r)
{
	struct key key = key_for(r->at);
	struct bound b = { .state = r->state, .inode = (unsigned long)r->inode,
			   .ends_ms = r->ends_ms, .v6only = !key.address.any };

	b.local = key.address.sa;
	return b;
}

static struct facts facts_of(const char *wanted, bool sharing, int why, const struct row *rows)
{
	struct key key = key_for(wanted);
	struct attempt a = { .key = &key, .v6only = !key.address.any, .sharing = sharing,
			     .why = why };
	struct facts f;

	facts_begin(&a, &f);
	f.seen = SEEN_ALL;
	for (; rows->at; rows++) {
		struct bound b = bound_of(rows);

		facts_see(&f, &b);
	}
	return f;
}

static void what_blocks_is_told_with_its_end(void **state)
{
	enum { FW2 = TCP_FIN_WAIT2, TW = TCP_TIME_WAIT, EST = TCP_ESTABLISHED };
	static const struct {
		const char *wanted;
		bool exclusive;
		struct row sockets[SOCKETS_MOST];
		size_t blockers;
		int64_t after_s, before_s;	/* without the kernel's being late; -1: unknown */
		bool endable, silent;
	} rows[] = {
		{ "127.0.0.1:1", 0, { { "127.0.0.1:1", TW, 0, 40 * SECONDS } }, 1, 40, 40, 1, 1 },
		{ "*:1", 0, { { "127.0.0.1:1", TW, 0, 40 * SECONDS } }, 1, 40, 40, 1, 1 },
		/* Its peer may close just before it is over: a minute more. */
		{ "127.0.0.1:1", 0, { { "127.0.0.1:1", FW2, 0, 3 * SECONDS } }, 1, 3, 63, 1, 1 },
		/* All have to go: the last of them counts. */
		{ "127.0.0.1:1", 0,
		  { { "127.0.0.1:1", FW2, 0, 3 * SECONDS }, { "127.0.0.1:1", TW, 0, 50 * SECONDS },
		    { "127.0.0.1:1", TW, 0, 10 * SECONDS } }, 2, 50, 63, 1, 1 },
		/* One that a process has open stays as long as that likes. */
		{ "127.0.0.1:1", 0, { { "127.0.0.1:1", FW2, 7, -1 } }, 1, 0, -1, 0, 0 },
		{ "127.0.0.1:1", 0, { { "127.0.0.1:1", EST, 7, -1 } }, 1, 0, -1, 0, 0 },
		{ "127.0.0.1:1", 0,
		  { { "127.0.0.1:1", EST, 7, -1 }, { "127.0.0.1:1", TW, 0, 9 * SECONDS } },
		  2, 9, -1, 0, 1 },
		/* A peer that takes nothing holds it for ever, and nobody here has it. */
		{ "127.0.0.1:1", 0, { { "127.0.0.1:1", TCP_FIN_WAIT1, 0, -1 } }, 1, 0, -1, 1, 0 },
		{ "127.0.0.1:1", 0, { { "127.0.0.1:1", TCP_LAST_ACK, 0, -1 } }, 1, 0, -1, 1, 0 },
		/* Beside a listener it cannot be told whether they block, unless we share
		 * nothing ourselves. */
		{ "127.0.0.1:1", 0,
		  { { "*:1", TCP_LISTEN, 8, -1 }, { "127.0.0.1:1", TW, 0, 9 * SECONDS } },
		  1, 0, -1, 0, 0 },
		{ "127.0.0.1:1", 1,
		  { { "*:1", TCP_LISTEN, 8, -1 }, { "127.0.0.1:1", TW, 0, 9 * SECONDS } },
		  2, 9, -1, 0, 1 },
		{ "127.0.0.1:1", 0, { { "127.0.0.1:1", TCP_CLOSE, 8, -1 } }, 1, 0, -1, 0, 0 },
		/* At another address: not in the way; then who is cannot be seen. */
		{ "127.0.0.1:1", 0, { { "127.0.0.2:1", TW, 0, 9 * SECONDS } }, 0, 0, -1, 0, 0 },
		{ "[::1]:1", 0, { { "127.0.0.1:1", TCP_LISTEN, 8, -1 } }, 0, 0, -1, 0, 0 },
		{ "*:1", 0, { { "[::1]:1", TCP_LISTEN, 8, -1 } }, 1, 0, -1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct facts f = facts_of(rows[i].wanted, !rows[i].exclusive, EADDRINUSE,
					  rows[i].sockets);
		int64_t before = rows[i].before_s < 0 ? -1 :
							rows[i].before_s * SECONDS + TIMER_LATE_MS;
		struct judgement j;

		blocker_judge(&f, &j);
		if (j.answer != CANNOT_BIND || j.count != rows[i].blockers ||
		    j.after_ms != rows[i].after_s * SECONDS || j.before_ms != before ||
		    j.endable != rows[i].endable || j.silent != rows[i].silent)
			fail_msg("row %zu: %zu blockers, %lld to %lld ms, endable %d, silent %d", i,
				 j.count, (long long)j.after_ms, (long long)j.before_ms,
				 j.endable, j.silent);
	}
}

static void what_a_dual_stack_listener_accepted_blocks_the_other_wildcard(void **state)
{
	static const struct {
		const char *wanted;
		int tcp_state;
		bool v6only;
		unsigned found;
	} rows[] = {
		{ "0.0.0.0:1", TCP_TIME_WAIT, false, 1 },
		{ "0.0.0.0:1", TCP_TIME_WAIT, true, 0 },
		{ "127.0.0.1:1", TCP_TIME_WAIT, false, 0 },
		{ "0.0.0.0:1", TCP_LISTEN, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row row = { "[::1]:1", rows[i].tcp_state, 0, 9000 }, none = { 0 };
		struct facts f = facts_of(rows[i].wanted, true, EADDRINUSE, &none);
		struct bound b = bound_of(&row);

		b.v6only = rows[i].v6only;
		facts_see(&f, &b);
		assert_int_equal(f.left[TCP_TIME_WAIT].count + f.holder_count, rows[i].found);
	}
}

/* What it accepted has the options that it has. */
static void a_listener_into_which_we_may_look_tells_of_its_connections(void **state)
{
	static const struct row both[] = { { "*:1", TCP_LISTEN, 8, -1 },
					   { "127.0.0.1:1", TCP_TIME_WAIT, 0, 9000 }, { 0 } };
	static const struct {
		int options;
		size_t blockers;
		bool maybe;
	} rows[] = {
		{ -1, 1, true },
		{ 0, 2, false },
		{ REUSE_PORT, 2, false },
		{ REUSE_ADDRESS, 1, false },
		{ REUSE_ADDRESS | REUSE_PORT, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct facts f = facts_of("127.0.0.1:1", true, EADDRINUSE, both);
		struct judgement j;

		f.options[0] = rows[i].options;
		blocker_judge(&f, &j);
		assert_int_equal(j.count, rows[i].blockers);
		assert_int_equal(j.maybe, rows[i].maybe);
		assert_int_equal(j.blockers[0].options, rows[i].options);
		assert_false(j.endable);
	}
}

static void what_is_no_socket_is_told_by_its_kind(void **state)
{
	static const struct row nothing[] = { { NULL, 0, 0, 0 } };
	static const struct {
		int why, answer;
		enum blocker_kind kind;
		size_t blockers;
	} rows[] = {
		{ 0, CAN_BIND, 0, 0 },
		{ EACCES, CANNOT_BIND, BLOCKER_PRIVILEGE, 1 },
		{ EADDRNOTAVAIL, CANNOT_BIND, BLOCKER_NO_SUCH_ADDRESS, 1 },
		{ EADDRINUSE, CANNOT_BIND, 0, 0 },
		{ ENOBUFS, NOT_KNOWN, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct facts f = facts_of("127.0.0.1:1", true, rows[i].why, nothing);
		struct judgement j;

		blocker_judge(&f, &j);
		assert_int_equal(j.answer, rows[i].answer);
		assert_int_equal(j.count, rows[i].blockers);
		if (j.count)
			assert_int_equal(j.blockers[0].kind, rows[i].kind);
	}
}

static char *when(int64_t after_ms, int64_t before_ms, int64_t age_ms)
{
	struct judgement j = { .answer = CANNOT_BIND, .after_ms = after_ms,
			       .before_ms = before_ms };
	struct str text = { 0 };

	blocker_when(&j, age_ms, &text);
	return str_take(&text);
}

static void an_interval_is_never_told_too_narrow(void **state)
{
	static const struct {
		int64_t after, before, age;
		const char *said;
	} rows[] = {
		{ 3900, 63100, 0, "free in 3 to 64 s" },
		{ 3900, 63100, 1000, "free in 2 to 63 s" },
		{ 3900, 63100, 10000, "free in 0 to 54 s" },
		{ 3900, -1, 0, "not free for 3 s at least" },
		{ 0, -1, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = when(rows[i].after, rows[i].before, rows[i].age);

		assert_string_equal(text ? text : "", rows[i].said);
		free(text);
	}
}

static struct judgement judged(const struct row *rows)
{
	struct facts f = facts_of("127.0.0.1:1", true, EADDRINUSE, rows);
	struct judgement j;

	blocker_judge(&f, &j);
	return j;
}

/* How many tries a minute before this costs, from the look to the end. */
static int tries_until(const struct judgement *j, int64_t end_ms, bool heard)
{
	int64_t now = 0;
	int tries = 0;

	while (now < end_ms) {
		now += gate_pause(j, now, (unsigned)++tries, heard);
		assert_true(tries < 1000);
	}
	return tries;
}

static void the_next_try_is_when_a_timer_ends(void **state)
{
	static const struct row time_wait[] = { { "127.0.0.1:1", TCP_TIME_WAIT, 0, 3210 }, { 0 } };
	struct judgement j = judged(time_wait);

	(void)state;
	assert_int_equal(gate_pause(&j, 0, 1, true), 3210);
	assert_int_equal(gate_pause(&j, 3200, 1, true), 10);
	/* The kernel is late: within 100 ms, until it cannot be any more. */
	assert_in_range(gate_pause(&j, 3210, 1, true), 1, 100);
	assert_in_range(gate_pause(&j, 3210 + TIMER_LATE_MS - 1, 1, true), 1, 100);
	assert_true(gate_pause(&j, 3210 + TIMER_LATE_MS, 1, true) > 100);
}

static void nobody_polls_in_the_meantime(void **state)
{
	static const struct row time_wait[] = { { "127.0.0.1:1", TCP_TIME_WAIT, 0, 60000 }, { 0 } };
	static const struct row fin_wait[] = { { "127.0.0.1:1", TCP_FIN_WAIT2, 0, 60000 }, { 0 } };
	static const struct row open[] = { { "127.0.0.1:1", TCP_ESTABLISHED, 7, -1 }, { 0 } };
	struct judgement tw = judged(time_wait), fw = judged(fin_wait), est = judged(open);

	(void)state;
	assert_in_range(tries_until(&tw, 60000, true), 1, 15);
	assert_in_range(tries_until(&fw, 60000, true), 1, 65);	/* a reset is seen in a second */
	assert_in_range(tries_until(&est, 60000, true), 1, 15);
	assert_in_range(tries_until(&est, 60000, false), 20, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_blocks_is_told_with_its_end),
		cmocka_unit_test(what_a_dual_stack_listener_accepted_blocks_the_other_wildcard),
		cmocka_unit_test(a_listener_into_which_we_may_look_tells_of_its_connections),
		cmocka_unit_test(what_is_no_socket_is_told_by_its_kind),
		cmocka_unit_test(an_interval_is_never_told_too_narrow),
		cmocka_unit_test(the_next_try_is_when_a_timer_ends),
		cmocka_unit_test(nobody_polls_in_the_meantime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
