/* What a keeper is told of what its manager took over from another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/owner.h"
#include "keeper/custody.h"

static const struct {
	unsigned number;
	const char *what;
} taken[] = { { 1, "lock" }, { 2, "socket" }, { 3, "journal" }, { 4, "notify" } };

static void take_all(struct custody *c)
{
	for (size_t i = 0; i < COUNT(taken); i++) {
		int fd = dup(STDIN_FILENO);

		custody_take(c, taken[i].number, taken[i].what, &fd);
	}
}

static void a_keeper_has_the_journal_after_what_it_speaks_of_then_the_lock(void **state)
{
	static const int64_t order[] = { 2, 4, 3, 1 };
	struct keeper_link link;
	struct custody c = { .link = &link };
	struct channel_message m;
	int ends[2], fd;

	(void)state;
	assert_int_equal(channel_open(ends, NULL), 0);
	link_init(&link, ends[0]);
	take_all(&c);
	assert_int_equal(channel_receive(ends[1], &m, &fd), 0);
	custody_tell(&c);
	for (size_t i = 0; i < COUNT(order); i++) {
		assert_int_equal(channel_receive(ends[1], &m, &fd), 1);
		assert_int_equal(m.word, CHANNEL_HOLD);
		assert_int_equal(m.number, order[i]);
		assert_true(fd >= 0);
		fd_close(&fd);
	}
	assert_int_equal(channel_receive(ends[1], &m, &fd), 0);
	custody_close(&c);
	link_close(&link);
	fd_close(&ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_keeper_has_the_journal_after_what_it_speaks_of_then_the_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
