/* What a service manager above us is given to store, one at a time, and what is taken
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervisor/deposit.h"

enum { FIRST = 16 };		/* in the number of a question: its inode is on top of it */

/* A manager, and the keeper's end of their channel. */
struct case_ {
	struct keeper_link link;
	struct custody custody;
	struct deposit deposit;
	struct loop *loop;
	int keeper;
};

static void open_case(struct case_ *c, const char *most)
{
	int ends[2];

	*c = (struct case_){ .loop = loop_new(NULL) };
	assert_int_equal(channel_open(ends, NULL), 0);
	c->link.fd = ends[0];
	c->keeper = ends[1];
	assert_int_equal(fcntl(c->keeper, F_SETFL, O_NONBLOCK), 0);
	c->custody.link = &c->link;
	deposit_init(&c->deposit, most);
}

static void close_case(struct case_ *c)
{
	for (size_t n = 1; n < c->custody.count; n++)
		fd_close(&c->custody.items[n].open);
	deposit_stop(&c->deposit);
	custody_close(&c->custody);
	link_close(&c->link);
	fd_close(&c->keeper);
	loop_free(c->loop);
}

/* The next that the keeper is to say upwards; "": nothing. */
static const char *heard(struct case_ *c, int64_t *ret_number)
{
	static struct channel_message m;
	int fd = -1, got;

	while ((got = channel_receive(c->keeper, &m, &fd)) > 0 && m.word != CHANNEL_NOTIFY)
		fd_close(&fd);
	*ret_number = m.number;
	if (got > 0 && strncmp(m.text, "FDSTORE=1", 9) == 0)
		assert_int_equal(custody_inode(fd), m.number - FIRST);
	fd_close(&fd);
	return got > 0 ? m.text : "";
}

static unsigned a_file(struct case_ *c, uint64_t *ret_inode)
{
	int fd = platform_anonymous_file("deposit");

	*ret_inode = custody_inode(fd);
	return custody_hold(&c->custody, fd, "socket");
}

static void assert_said(const char *said, const char *word, uint64_t inode)
{
	char text[100];

	(void)snprintf(text, sizeof(text), "%s=1\nFDNAME=holdport-%" PRIu64 "%s", word, inode,
		       strcmp(word, "FDSTORE") == 0 ? "\nFDPOLL=0" : "");
	assert_string_equal(said, text);
}

static void one_after_the_other(void **state)
{
	struct case_ c;
	uint64_t inodes[2];
	unsigned numbers[2];
	int64_t number;

	(void)state;
	open_case(&c, NULL);
	for (int i = 0; i < 2; i++) {
		numbers[i] = a_file(&c, &inodes[i]);
		deposit_put(&c.deposit, numbers[i], inodes[i]);
	}
	assert_string_equal(heard(&c, &number), "");
	deposit_start(&c.deposit, c.loop, &c.custody);
	assert_said(heard(&c, &number), "FDSTORE", inodes[0]);
	assert_string_equal(heard(&c, &number), "");
	assert_true(deposit_answered(&c.deposit, FIRST + (int64_t)inodes[0], 0));
	assert_said(heard(&c, &number), "FDSTORE", inodes[1]);
	/* One that has no room now is asked again, later. */
	assert_true(deposit_answered(&c.deposit, FIRST + (int64_t)inodes[1], EAGAIN));
	assert_string_equal(heard(&c, &number), "");
	assert_true(loop_timer_runs(&c.deposit.again));
	c.deposit.again.on(&c.deposit.again);
	assert_said(heard(&c, &number), "FDSTORE", inodes[1]);
	assert_true(deposit_answered(&c.deposit, FIRST + (int64_t)inodes[1], 0));
	assert_int_equal(c.deposit.count, 0);
	assert_false(deposit_answered(&c.deposit, 1, 0));
	close_case(&c);
}

static void what_is_closed_is_taken_back_at_once(void **state)
{
	struct case_ c;
	uint64_t inode, other;
	unsigned number = a_file((open_case(&c, NULL), &c), &inode), second = a_file(&c, &other);
	int64_t asked;

	(void)state;
	deposit_put(&c.deposit, number, inode);
	deposit_put(&c.deposit, second, other);
	deposit_start(&c.deposit, c.loop, &c.custody);
	assert_said(heard(&c, &asked), "FDSTORE", inode);
	/* The second was not said yet, and need not be. */
	deposit_take_back(&c.deposit, other);
	assert_said(heard(&c, &asked), "FDSTOREREMOVE", other);
	assert_int_equal(asked, -(int64_t)other);
	assert_true(deposit_answered(&c.deposit, FIRST + (int64_t)inode, 0));
	assert_string_equal(heard(&c, &asked), "");
	/* Where there was no room it is said again. */
	assert_true(deposit_answered(&c.deposit, -(int64_t)other, EAGAIN));
	c.deposit.again.on(&c.deposit.again);
	assert_said(heard(&c, &asked), "FDSTOREREMOVE", other);
	close_case(&c);
}

static void what_was_left_to_us_and_is_not_held_is_taken_back(void **state)
{
	struct case_ c;
	struct text_list names = { 0 };
	char name[40];
	uint64_t inode;
	unsigned number = a_file((open_case(&c, NULL), &c), &inode);
	int64_t asked;

	(void)state;
	(void)snprintf(name, sizeof(name), "holdport-%" PRIu64, inode);
	text_list_add(&names, "web.socket");
	text_list_add(&names, "holdport-77");
	text_list_add(&names, name);
	deposit_left(&c.deposit, &names);
	deposit_put(&c.deposit, number, inode);		/* it is there already */
	deposit_start(&c.deposit, c.loop, &c.custody);
	assert_said(heard(&c, &asked), "FDSTOREREMOVE", 77);
	assert_string_equal(heard(&c, &asked), "");
	text_list_fini(&names);
	close_case(&c);
}

static void no_more_than_it_takes(void **state)
{
	struct case_ c;
	uint64_t inodes[3];
	int64_t asked;

	(void)state;
	open_case(&c, "2");
	for (int i = 0; i < 3; i++) {
		unsigned number = a_file(&c, &inodes[i]);

		deposit_put(&c.deposit, number, inodes[i]);
	}
	assert_int_equal(c.deposit.count, 2);
	assert_true(c.deposit.told);
	deposit_take_back(&c.deposit, inodes[0]);
	deposit_put(&c.deposit, 3, inodes[2]);
	deposit_start(&c.deposit, c.loop, &c.custody);
	assert_said(heard(&c, &asked), "FDSTORE", inodes[1]);
	close_case(&c);
}

static void nobody_is_there(void **state)
{
	struct case_ c;
	uint64_t inode;
	unsigned number = a_file((open_case(&c, NULL), &c), &inode);
	int64_t asked;

	(void)state;
	deposit_stop(&c.deposit);
	deposit_put(&c.deposit, number, inode);
	deposit_start(&c.deposit, c.loop, &c.custody);
	deposit_take_back(&c.deposit, inode);
	assert_string_equal(heard(&c, &asked), "");
	close_case(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(what_is_closed_is_taken_back_at_once),
		cmocka_unit_test(what_was_left_to_us_and_is_not_held_is_taken_back),
		cmocka_unit_test(no_more_than_it_takes),
		cmocka_unit_test(nobody_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
