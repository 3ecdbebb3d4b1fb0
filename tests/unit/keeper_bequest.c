/* What a manager holds is in the hands of the keeper that it becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper/bequest.h"
#include "keeper/hold.h"
#include "platform/platform.h"

/* A manager whose keeper is gone. */
struct estate {
	struct keeper_link link;
	struct custody custody;
	struct hold hold;
	int lock, out[2];
	unsigned lock_kept, out_kept;
};

static int open_estate(void **state)
{
	static struct estate e;

	e = (struct estate){ .link = { .fd = -1 } };
	e.custody.link = &e.link;
	e.lock = open("/dev/null", O_RDWR | O_CLOEXEC);
	*state = &e;
	if (pipe2(e.out, O_CLOEXEC) < 0)
		return -1;
	e.lock_kept = custody_hold(&e.custody, e.lock, "lock");
	e.out_kept = custody_hold(&e.custody, e.out[0], "out");
	return 0;
}

static int close_estate(void **state)
{
	struct estate *e = *state;

	custody_close(&e->custody);
	hold_close(&e->hold);
	fd_close(&e->lock);
	fd_close(&e->out[0]);
	fd_close(&e->out[1]);
	return 0;
}

static void inherit(struct estate *e)
{
	struct err err;
	int file = bequest_write(&e->custody, &err);

	assert_true(file >= 0);
	assert_int_equal(fcntl(file, F_GETFD), 0);
	assert_int_equal(fcntl(e->lock, F_GETFD), 0);
	hold_inherit(&e->hold, &file);
	assert_int_equal(file, -1);
}

/* In the test it is the same process: the hold has the very descriptors. */
static void forget(struct estate *e)
{
	for (size_t i = 0; i < e->hold.count; i++)
		e->hold.items[i].fd = -1;
}

static void everything_is_handed_on_by_number(void **state)
{
	struct estate *e = *state;

	inherit(e);
	assert_string_equal(e->hold.items[e->lock_kept].what, "lock");
	assert_int_equal(e->hold.items[e->lock_kept].fd, e->lock);
	assert_string_equal(e->hold.items[e->out_kept].what, "out");
	assert_int_equal(e->hold.items[e->out_kept].fd, e->out[0]);
	assert_int_equal(fcntl(e->lock, F_GETFD), FD_CLOEXEC);
	forget(e);
}

static void what_its_owner_has_closed_is_not(void **state)
{
	struct estate *e = *state;
	int was = e->out[0];

	fd_close(&e->out[0]);
	assert_int_equal(dup2(e->lock, was), was);	/* the number is another's */
	inherit(e);
	assert_int_equal(e->hold.items[e->out_kept].fd, -1);
	(void)close(was);
	forget(e);
}

static void what_was_dropped_is_not(void **state)
{
	struct estate *e = *state;
	unsigned number = e->out_kept;

	custody_drop(&e->custody, &e->out_kept);
	inherit(e);
	assert_true(number >= e->hold.count || e->hold.items[number].fd == -1);
	forget(e);
}

static void it_closes_at_exec_again_where_nothing_came_of_it(void **state)
{
	struct estate *e = *state;
	struct err err;
	int file = bequest_write(&e->custody, &err);

	bequest_undo(&e->custody, &file);
	assert_int_equal(file, -1);
	assert_int_equal(fcntl(e->lock, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(e->out[0], F_GETFD), FD_CLOEXEC);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_estate, close_estate)
	const struct CMUnitTest tests[] = {
		TEST(everything_is_handed_on_by_number),
		TEST(what_its_owner_has_closed_is_not),
		TEST(what_was_dropped_is_not),
		TEST(it_closes_at_exec_again_where_nothing_came_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
