/* Signals reach only what is ours, and every end is read before it is taken. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <poll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "platform/process.h"

static int fds[] = { SPAWN_FD_NULL, SPAWN_FD_NULL, 2 };

static struct process spawn(const char *script, int *ret_report)
{
	static char *env[] = { NULL };
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	struct spawn s = { .path = "/bin/sh", .argv = argv, .env = env, .fds = fds,
			   .fd_count = 3 };
	struct process p;
	struct err err;

	assert_int_equal(platform_spawn(&s, &p, ret_report, &err), 0);
	return p;
}

static void await_end(const struct process *p, struct process_end *end)
{
	while (platform_peek(p, end) == 0)
		(void)poll(NULL, 0, 1);
}

static void an_end_can_be_looked_at_twice_and_taken_once(void **state)
{
	struct process_end end = { 0 };
	int report;
	struct process p = spawn("exit 7", &report);

	(void)state;
	await_end(&p, &end);
	assert_int_equal(end.code, 7);
	assert_int_equal(platform_peek(&p, &end), 1);
	platform_reap(&p);
	assert_int_equal(p.pid, 0);
	fd_close(&report);
}

static void a_reaped_process_is_never_signalled(void **state)
{
	struct process_end end;
	int report;
	struct process p = spawn("exit 0", &report), copy;

	(void)state;
	await_end(&p, &end);
	copy = p;
	copy.handle = p.handle >= 0 ? dup(p.handle) : -1;
	platform_reap(&p);
	assert_int_equal(platform_signal(&p, SIGTERM), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(platform_signal_group(&p, SIGTERM), -1);
	if (copy.handle >= 0) {		/* whoever has the pid now, the handle knows better */
		assert_int_equal(platform_signal(&copy, SIGTERM), -1);
		assert_int_equal(errno, ESRCH);
		fd_close(&copy.handle);
	}
	fd_close(&report);
}

static void end_it(struct process *p, int *report)
{
	struct process_end end;

	(void)platform_signal_group(p, SIGKILL);
	await_end(p, &end);
	platform_reap(p);
	fd_close(report);
}

static void a_process_is_known_by_a_number_of_its_own(void **state)
{
	int report, report_of_other;
	struct process p = spawn("sleep 600", &report), other = spawn("sleep 600", &report_of_other);
	struct process known = PROCESS_NONE;
	uint64_t id = platform_process_id(&p);

	(void)state;
	assert_int_equal(platform_process_known(p.pid, 0, &known), -1);
	if (id) {
		assert_int_not_equal(platform_process_id(&other), id);
		assert_int_equal(platform_process_known(other.pid, id, &known), -1);
		assert_int_equal(platform_process_known(p.pid, id, &known), 0);
		assert_int_equal(known.pid, p.pid);
		fd_close(&known.handle);
	}
	end_it(&p, &report);
	end_it(&other, &report_of_other);
}

static void a_group_signal_reaches_the_children_of_a_zombie(void **state)
{
	struct process_end end;
	struct pollfd gone;
	int pipe_ends[2], report;
	struct process p;

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	fds[1] = pipe_ends[1];
	p = spawn("sleep 600 & exit 0", &report);
	fds[1] = SPAWN_FD_NULL;
	(void)close(pipe_ends[1]);
	await_end(&p, &end);
	assert_int_equal(platform_signal_group(&p, SIGKILL), 0);
	gone = (struct pollfd){ .fd = pipe_ends[0], .events = POLLIN };
	assert_int_equal(poll(&gone, 1, 10000), 1);	/* the last writer is dead */
	platform_reap(&p);
	(void)close(pipe_ends[0]);
	fd_close(&report);
}

static void a_failed_exec_says_its_errno(void **state)
{
	static char *env[] = { NULL }, *argv[] = { "nowhere", NULL };
	struct spawn s = { .path = "/nonexistent/nowhere", .argv = argv, .env = env, .fds = fds,
			   .fd_count = 3 };
	struct process_end end;
	struct process p;
	struct spawn_report said;
	struct err err;
	int report;

	(void)state;
	assert_int_equal(platform_spawn(&s, &p, &report, &err), 0);
	await_end(&p, &end);
	assert_int_equal(platform_spawn_verdict(report, &said), VERDICT_FAILED);
	assert_int_equal(said.why, ENOENT);
	assert_string_equal(said.step, "exec");
	assert_int_equal(end.code, 127);
	platform_reap(&p);
	fd_close(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_can_be_looked_at_twice_and_taken_once),
		cmocka_unit_test(a_reaped_process_is_never_signalled),
		cmocka_unit_test(a_process_is_known_by_a_number_of_its_own),
		cmocka_unit_test(a_group_signal_reaches_the_children_of_a_zombie),
		cmocka_unit_test(a_failed_exec_says_its_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
