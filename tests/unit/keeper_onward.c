/* A keeper that goes on as another image knows what it knew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper/onward.h"

static int a_file(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void hold_some(struct hold *h)
{
	for (int number = 3; number < 200; number += 98) {
		int fd = a_file();

		hold_put(h, number, number == 3 ? "lock" : "socket", &fd);
	}
	hold_foster(h, (const int32_t[]){ 4711, 4712 }, 2);
}

/* As exec(2) leaves it: the numbers of descriptors are the same. */
static void forget(struct hold *h)
{
	for (size_t i = 0; i < h->count; i++)
		h->items[i].fd = -1;
	hold_close(h);
}

static void everything_is_known_again(void **state)
{
	struct hold h = { 0 }, again = { 0 };
	struct onward o = { .manager = 99, .channel = a_file(), .files = 1024,
			    .orphaned = true }, read;
	int file, socket;

	(void)state;
	hold_some(&h);
	socket = h.items[101].fd;
	file = onward_write(&h, &o, NULL);
	assert_true(file >= 0);
	assert_int_equal(fcntl(socket, F_GETFD), 0);
	assert_int_equal(fcntl(o.channel, F_GETFD), 0);
	assert_int_equal(fcntl(file, F_GETFD), 0);
	forget(&h);
	assert_true(onward_read(&file, &again, &read));
	assert_int_equal(file, -1);
	assert_int_equal(read.manager, 99);
	assert_int_equal(read.channel, o.channel);
	assert_int_equal(read.files, 1024);
	assert_true(read.orphaned);
	assert_int_equal(again.items[101].fd, socket);
	assert_string_equal(again.items[101].what, "socket");
	assert_string_equal(again.items[3].what, "lock");
	assert_int_equal(fcntl(socket, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(read.channel, F_GETFD), FD_CLOEXEC);
	assert_true(hold_is_foster(&again, 4711));
	assert_true(hold_is_foster(&again, 4712));
	assert_false(hold_is_foster(&again, 99));
	fd_close(&read.channel);
	hold_close(&again);
}

static void where_exec_fails_nothing_stays_open(void **state)
{
	struct hold h = { 0 };
	struct onward o = { .manager = 99, .channel = a_file() };
	int file;

	(void)state;
	hold_some(&h);
	file = onward_write(&h, &o, NULL);
	onward_undo(&h, &o, &file);
	assert_int_equal(file, -1);
	assert_int_equal(fcntl(h.items[101].fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(o.channel, F_GETFD), FD_CLOEXEC);
	fd_close(&o.channel);
	hold_close(&h);
}

static void what_a_later_version_says_is_passed_over(void **state)
{
	struct hold h = { 0 }, again = { 0 };
	struct onward o = { .manager = 99, .channel = a_file() }, read;
	struct hold_left later = { .number = 5, .fd = -1, .what = "=later" };
	int file;

	(void)state;
	file = onward_write(&h, &o, NULL);
	assert_int_equal(write(file, &later, sizeof(later)), sizeof(later));
	assert_true(onward_read(&file, &again, &read));
	assert_int_equal(again.count, 0);
	fd_close(&o.channel);
	hold_close(&again);
	hold_close(&h);
}

static void without_a_manager_it_is_none(void **state)
{
	struct hold h = { 0 };
	struct onward o = { .channel = -1 }, read;
	int file = onward_write(&h, &o, NULL);

	(void)state;
	assert_false(onward_read(&file, &h, &read));
	hold_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_known_again),
		cmocka_unit_test(where_exec_fails_nothing_stays_open),
		cmocka_unit_test(what_a_later_version_says_is_passed_over),
		cmocka_unit_test(without_a_manager_it_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
