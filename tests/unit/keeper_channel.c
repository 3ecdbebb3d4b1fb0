/* What keeper and manager say to each other arrives whole, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper/channel.h"
#include "platform/platform.h"

static int ends[2];

static int open_ends(void **state)
{
	(void)state;
	return channel_open(ends, NULL);
}

static int close_ends(void **state)
{
	(void)state;
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	return 0;
}

static void a_message_and_its_descriptor_arrive(void **state)
{
	struct channel_message m;
	int pass = open("/dev/null", O_RDONLY | O_CLOEXEC), got = -1;

	(void)state;
	assert_int_equal(channel_send(ends[0], CHANNEL_NOTIFY, 7, -8, "STATUS=x", pass), 0);
	assert_int_equal(channel_send(ends[0], CHANNEL_SETTLED, 0, 0, NULL, -1), 0);
	assert_int_equal(channel_receive(ends[1], &m, &got), 1);
	assert_int_equal(m.version, CHANNEL_VERSION);
	assert_int_equal(m.word, CHANNEL_NOTIFY);
	assert_int_equal(m.number, 7);
	assert_int_equal(m.other, -8);
	assert_string_equal(m.text, "STATUS=x");
	assert_true(platform_same_file(pass, got));
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	fd_close(&got);
	fd_close(&pass);
	assert_int_equal(channel_receive(ends[1], &m, &got), 1);
	assert_int_equal(m.word, CHANNEL_SETTLED);
	assert_int_equal(got, -1);
	assert_int_equal(channel_receive(ends[1], &m, &got), 0);
}

static void a_bundle_arrives_in_its_order(void **state)
{
	struct channel_bundle b = { .count = 0 };
	struct channel_message m;
	int fds[CHANNEL_MANY];
	size_t count;

	(void)state;
	while (b.count < CHANNEL_MANY) {
		(void)strcpy(b.items[b.count].what, "socket");
		b.items[b.count].number = 100 + (int32_t)b.count;
		b.fds[b.count] = ends[b.count % 2];
		b.count++;
	}
	assert_int_equal(channel_send_bundle(ends[0], &b), 0);
	assert_int_equal(b.count, 0);
	assert_int_equal(channel_send_bundle(ends[0], &b), 0);	/* nothing: nothing is said */
	assert_int_equal(channel_receive_many(ends[1], &m, fds, &count), 1);
	assert_int_equal(m.word, CHANNEL_GIVE_MANY);
	assert_int_equal(count, CHANNEL_MANY);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(m.items[i].number, 100 + i);
		assert_string_equal(m.items[i].what, "socket");
		assert_true(platform_same_file(fds[i], ends[i % 2]));
		fd_close(&fds[i]);
	}
	assert_int_equal(channel_receive_many(ends[1], &m, fds, &count), 0);
	assert_int_equal(count, 0);
}

static void more_processes_than_there_is_room_for_are_no_word(void **state)
{
	struct channel_pids p = { .pids = { 4711, 4712 }, .count = 2 };
	struct channel_message m, bad = { .version = CHANNEL_VERSION, .word = CHANNEL_FOSTER,
					  .number = CHANNEL_PIDS + 1 };
	int got;

	(void)state;
	assert_int_equal(channel_send_pids(ends[0], &p), 0);
	assert_int_equal(channel_receive(ends[1], &m, &got), 1);
	assert_int_equal(m.word, CHANNEL_FOSTER);
	assert_int_equal(m.number, 2);
	assert_int_equal(m.pids[1], 4712);
	assert_int_equal(send(ends[0], &bad, sizeof(bad), 0), sizeof(bad));
	assert_int_equal(channel_receive(ends[1], &m, &got), 1);
	assert_int_equal(m.word, 0);
}

static void a_text_that_is_too_long_is_not_cut(void **state)
{
	char text[CHANNEL_TEXT + 1];
	struct channel_message m;
	int got;

	(void)state;
	memset(text, 'x', CHANNEL_TEXT);
	text[CHANNEL_TEXT] = '\0';
	assert_int_equal(channel_send(ends[0], CHANNEL_NOTIFY, 0, 0, text, -1), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(channel_receive(ends[1], &m, &got), 0);
}

static void what_has_another_size_is_no_word(void **state)
{
	struct channel_message m = { .word = CHANNEL_SIGNAL };
	int got = -1;

	(void)state;
	assert_int_equal(send(ends[0], &m, 8, 0), 8);
	assert_int_equal(channel_receive(ends[1], &m, &got), 1);
	assert_int_equal(m.word, 0);
}

static void the_end_of_the_other_side_is_heard(void **state)
{
	struct channel_message m;
	int got;

	(void)state;
	assert_int_equal(channel_send(ends[0], CHANNEL_TAKEN, 1, 0, NULL, -1), 0);
	fd_close(&ends[0]);
	assert_int_equal(channel_receive(ends[1], &m, &got), 1);
	assert_int_equal(channel_receive(ends[1], &m, &got), -1);
	assert_int_equal(channel_send(ends[1], CHANNEL_TAKEN, 1, 0, NULL, -1), -1);
	assert_int_equal(errno, EPIPE);
}

static void what_was_said_before_the_end_counts(void **state)
{
	struct channel_message m;
	int got;

	(void)state;
	assert_int_equal(channel_send(ends[1], CHANNEL_NOTIFIED, 1, 0, NULL, -1), 0);
	assert_int_equal(channel_send(ends[0], CHANNEL_LEAVING, 0, 0, NULL, -1), 0);
	fd_close(&ends[0]);		/* with something unread */
	assert_int_equal(channel_receive(ends[1], &m, &got), 1);
	assert_int_equal(m.word, CHANNEL_LEAVING);
	assert_int_equal(channel_receive(ends[1], &m, &got), -1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_ends, close_ends)
	const struct CMUnitTest tests[] = {
		TEST(a_message_and_its_descriptor_arrive),
		TEST(a_bundle_arrives_in_its_order),
		TEST(more_processes_than_there_is_room_for_are_no_word),
		TEST(a_text_that_is_too_long_is_not_cut),
		TEST(what_has_another_size_is_no_word),
		TEST(the_end_of_the_other_side_is_heard),
		TEST(what_was_said_before_the_end_counts),
	};
#undef TEST
	return cmocka_run_group_tests(tests, NULL, NULL);
}
