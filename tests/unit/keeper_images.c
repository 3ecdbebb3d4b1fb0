/* One executable is followed by another only when that has shown that it runs, and what
 * was said in between is heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "keeper/custody.h"
#include "keeper/images.h"

static int a_file(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static struct images some_images(void)
{
	return (struct images){ .runs = a_file(), .tried = -1 };
}

static void the_tried_one_runs_when_it_has_settled(void **state)
{
	struct images i = some_images();
	int next = a_file(), number = next;

	(void)state;
	images_try(&i, &next, 1000);
	assert_int_equal(next, -1);
	assert_true(images_tries(&i));
	assert_int_equal(i.until, 1000);
	images_settle(&i);
	assert_false(images_tries(&i));
	assert_int_equal(i.runs, number);
	fd_close(&i.runs);
}

static void one_that_ended_is_not_kept(void **state)
{
	struct images i = some_images();
	const struct process_end crash = { .signal = SIGSEGV }, exited = { .code = 3 };
	int next = a_file(), runs = i.runs;

	(void)state;
	images_try(&i, &next, 1);
	images_roll_back(&i, &crash, NULL);
	assert_false(images_tries(&i));
	assert_int_equal(i.runs, runs);
	assert_string_equal(i.why, "it ended with signal 11 before it reported");
	next = a_file();
	images_try(&i, &next, 1);
	assert_string_equal(i.why, "");
	images_roll_back(&i, &exited, NULL);
	assert_string_equal(i.why, "it ended with exit status 3 before it reported");
	next = a_file();
	images_try(&i, &next, 1);
	images_roll_back(&i, &crash, "it did not report in time");
	assert_string_equal(i.why, "it did not report in time");
	images_settle(&i);
	assert_int_equal(i.runs, runs);
	fd_close(&i.runs);
}

static void there_is_one_at_a_time(void **state)
{
	struct images i = some_images();
	int next = a_file(), another = a_file(), tried = next;

	(void)state;
	images_try(&i, &next, 1);
	images_try(&i, &another, 2);
	assert_int_equal(i.tried, tried);
	assert_int_equal(i.until, 1);
	images_stay(&i);
	assert_false(images_tries(&i));
	fd_close(&another);
	fd_close(&i.runs);
}

static int64_t heard[4];
static size_t heard_count;

static void on_heard(struct keeper_link *l, const struct channel_message *m, int *fd)
{
	(void)fd;
	heard[heard_count++] = m->number;
	if (heard_count == 2)
		loop_stop(l->catch_up.loop ? l->catch_up.loop : l->io.loop);
}

static void what_was_said_before_anybody_heard_is_heard(void **state)
{
	struct keeper_link link;
	struct custody custody;
	struct loop *loop = loop_new(NULL);
	int ends[2], file = a_file();

	(void)state;
	assert_int_equal(channel_open(ends, NULL), 0);
	link_init(&link, ends[0]);
	link.heard = on_heard;
	(void)channel_send(ends[1], CHANNEL_SIGNAL, SIGTERM, 0, NULL, -1);
	(void)channel_send(ends[1], CHANNEL_GIVE, 1, 0, "socket", file);
	(void)channel_send(ends[1], CHANNEL_ENDED, 4711, 0, NULL, -1);
	(void)channel_send(ends[1], CHANNEL_GIVEN, 1, 0, "it ended", -1);
	custody_init(&custody, &link);
	assert_int_equal(custody_open(&custody, NULL), 0);
	assert_int_equal(custody_find(&custody, "socket"), 1);
	assert_string_equal(custody.rolled_back, "it ended");
	assert_int_equal(heard_count, 0);
	link_start(&link, loop);
	loop_run(loop);
	assert_int_equal(heard[0], SIGTERM);
	assert_int_equal(heard[1], 4711);
	link_close(&link);
	custody_close(&custody);
	loop_free(loop);
	fd_close(&ends[1]);
	fd_close(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tried_one_runs_when_it_has_settled),
		cmocka_unit_test(one_that_ended_is_not_kept),
		cmocka_unit_test(there_is_one_at_a_time),
		cmocka_unit_test(what_was_said_before_anybody_heard_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
