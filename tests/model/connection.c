/* One client of the control socket, on a clock that the test turns: how long each
 * kind of silence is borne, and how much is kept for it meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/owner.h"
#include "control/connection.h"
#include "loop/fake/loop.h"

static struct varlink v;
static int here, there;
static unsigned served;
static struct call *waiting;

static void answer(struct call *c, json_t *parameters)
{
	(void)parameters;
	served++;
	call_reply(c, NULL);
}

static void answer_at_length(struct call *c, json_t *parameters)
{
	static char text[100001];

	(void)parameters;
	served++;
	memset(text, 'x', sizeof(text) - 1);
	call_reply(c, json_pack("{s:s}", "text", text));
}

static void wait_for_ever(struct call *c, json_t *parameters)
{
	(void)parameters;
	waiting = c;
}

static const struct method methods[] = {
	{ "a.B", RIGHT_NONE, answer },
	{ "a.Long", RIGHT_NONE, answer_at_length },
	{ "a.Wait", RIGHT_NONE, wait_for_ever },
};

static int begin(void **state)
{
	int fds[2];

	(void)state;
	v = (struct varlink){ .loop = loop_new(NULL), .methods = methods,
			      .method_count = COUNT(methods) };
	list_init(&v.clients);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	here = fds[0];
	there = fds[1];
	served = 0;
	waiting = NULL;
	connection_new(&v, there, false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	list_each_safe(c, &v.clients, struct client, node)
		connection_close(c, 0);
	(void)close(here);
	loop_free(v.loop);
	return 0;
}

static void say(const char *bytes, size_t length)
{
	assert_int_equal(send(here, bytes, length, 0), length);
	assert_true(fake_loop_io(v.loop, there, LOOP_READ));
	fake_loop_settle(v.loop);
}

#define SAY(text) say(text, sizeof(text))	/* with its NUL */

/* Reads all that has come; how much it was. */
static size_t listen_once(void)
{
	char bytes[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(here, bytes, sizeof(bytes), 0)) > 0)
		all += (size_t)n;
	return all;
}

/* Until it is hung up on; ms, or -1 when nothing is due any more. */
static int64_t patience_left(void)
{
	int64_t before = loop_now(v.loop);

	while (v.client_count)
		if (!fake_loop_next_timer(v.loop))
			return -1;
	return loop_now(v.loop) - before;
}

static void turn_clock(int64_t ms)
{
	struct loop_timer t = { 0 };

	loop_timer_start(v.loop, &t, ms, loop_timer_stop);
	while (loop_timer_runs(&t) && fake_loop_next_timer(v.loop))
		;
}

static void who_asks_nothing_has_five_minutes(void **state)
{
	(void)state;
	turn_clock(CONNECTION_IDLE_MS - 1);
	SAY("{\"method\":\"a.B\"}");
	assert_int_equal(served, 1);
	assert_true(listen_once() > 0);
	assert_int_equal(patience_left(), CONNECTION_IDLE_MS);
}

static void a_byte_now_and_then_does_not_stretch_a_request(void **state)
{
	(void)state;
	for (int i = 0; i < 29; i++) {
		say("{", 1);
		turn_clock(1000);
	}
	assert_int_equal(v.client_count, 1);
	assert_int_equal(patience_left(), 1000);
}

static void requests_in_a_row_that_end_each_are_no_half_ones(void **state)
{
	(void)state;
	say("{\"meth", 6);
	for (int i = 0; i < 20; i++) {
		turn_clock(CONNECTION_HALF_MS - 1);
		say("od\":\"a.B\"}\0{\"meth", 17);
		assert_true(listen_once() > 0);
	}
	assert_int_equal(served, 20);
	assert_int_equal(patience_left(), CONNECTION_HALF_MS);
}

static void a_call_may_take_for_ever(void **state)
{
	(void)state;
	SAY("{\"method\":\"a.Wait\"}");
	turn_clock(100LL * CONNECTION_IDLE_MS);
	assert_int_equal(v.client_count, 1);
	call_reply(waiting, NULL);
	fake_loop_settle(v.loop);
	assert_int_equal(patience_left(), CONNECTION_IDLE_MS);
}

static void who_does_not_read_is_served_no_more_and_let_go(void **state)
{
	static const char one[] = "{\"method\":\"a.Long\"}";
	const struct client *c = OWNER(v.clients.next, struct client, node);

	(void)state;
	for (int i = 0; i < 500; i++)
		SAY(one);
	assert_true(served < 20);
	assert_true(c->out.length < CONNECTION_PAUSE_AT + 200000);
	assert_int_equal(patience_left(), CONNECTION_UNREAD_MS);
}

static void who_reads_slowly_gets_all(void **state)
{
	static const char one[] = "{\"method\":\"a.Long\"}";

	(void)state;
	for (int i = 0; i < 100; i++)
		SAY(one);
	for (int i = 0; i < 1000 && served < 100; i++) {
		turn_clock(CONNECTION_UNREAD_MS - 1);
		(void)listen_once();
		(void)fake_loop_io(v.loop, there, LOOP_WRITE);
		fake_loop_settle(v.loop);
	}
	assert_int_equal(served, 100);
	assert_int_equal(v.client_count, 1);
}

/* More than the socket takes at once. */
static void tell_much(struct client *c)
{
	static char text[500000];

	memset(text, 'x', sizeof(text) - 1);
	connection_send(c, text);
}

/* A child that reads when there is something, to the end; the exit status: how
 * many times 100 kB it was. */
static pid_t read_beside(void)
{
	pid_t child = fork();
	char bytes[4096];
	size_t all = 0;
	ssize_t n;

	if (child)
		return child;
	(void)close(there);
	(void)fcntl(here, F_SETFL, 0);
	while ((n = recv(here, bytes, sizeof(bytes), 0)) > 0)
		all += (size_t)n;
	_exit((int)(all / 100000));
}

static void what_is_unsent_at_the_end_reaches_who_reads(void **state)
{
	struct client *c = OWNER(v.clients.next, struct client, node);
	pid_t child;
	int status;

	(void)state;
	tell_much(c);
	child = read_beside();
	connection_close(c, clock_monotonic_ms() + 20000);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 5);
}

static void who_does_not_read_at_the_end_is_not_waited_for(void **state)
{
	struct client *c = OWNER(v.clients.next, struct client, node);
	int64_t began = clock_monotonic_ms();

	(void)state;
	tell_much(c);
	connection_close(c, began + 20);
	assert_int_equal(v.client_count, 0);
	assert_true(clock_monotonic_ms() >= began + 20);
}

static void what_is_sent_during_a_call_is_bounded(void **state)
{
	static char junk[16384];
	const struct client *c = OWNER(v.clients.next, struct client, node);

	(void)state;
	SAY("{\"method\":\"a.Wait\"}");
	memset(junk, 'x', sizeof(junk));
	while (!frames_full(&c->in))
		say(junk, sizeof(junk));
	assert_false(fake_loop_io(v.loop, there, LOOP_READ));
	assert_int_equal(patience_left(), CONNECTION_HALF_MS);
}

static void many_requests_at_once_let_others_come_between(void **state)
{
	static const char one[] = "{\"method\":\"a.B\",\"oneway\":true}";
	char many[100 * sizeof(one)];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(many + i * sizeof(one), one, sizeof(one));
	say(many, sizeof(many));
	assert_int_equal(served, CONNECTION_REQUESTS_A_TURN);
	assert_true(fake_loop_next_timer(v.loop));
	fake_loop_settle(v.loop);
	assert_int_equal(served, 2 * CONNECTION_REQUESTS_A_TURN);
	turn_clock(1);
	assert_int_equal(served, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_asks_nothing_has_five_minutes, begin, end),
		cmocka_unit_test_setup_teardown(a_byte_now_and_then_does_not_stretch_a_request,
						begin, end),
		cmocka_unit_test_setup_teardown(requests_in_a_row_that_end_each_are_no_half_ones,
						begin, end),
		cmocka_unit_test_setup_teardown(a_call_may_take_for_ever, begin, end),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_served_no_more_and_let_go,
						begin, end),
		cmocka_unit_test_setup_teardown(who_reads_slowly_gets_all, begin, end),
		cmocka_unit_test_setup_teardown(what_is_unsent_at_the_end_reaches_who_reads,
						begin, end),
		cmocka_unit_test_setup_teardown(who_does_not_read_at_the_end_is_not_waited_for,
						begin, end),
		cmocka_unit_test_setup_teardown(what_is_sent_during_a_call_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(many_requests_at_once_let_others_come_between,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
