/* sd_notify datagrams: any bytes will do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/owner.h"
#include "base/str.h"
#include "health/notify.h"

static const struct row {
	const char *bytes;
	struct notify_message says;
} rows[] = {
	{ "READY=1", { .ready = true } },
	{ "READY=1\n", { .ready = true } },
	{ "READY=0", { 0 } },
	{ "READY=11", { 0 } },
	{ "XREADY=1", { 0 } },
	{ "ready=1", { 0 } },
	{ "\n\n\n", { 0 } },
	{ "", { 0 } },
	{ "=", { 0 } },
	{ "X_OUR_OWN=1\nNOTIFYACCESS=all\nEXIT_STATUS=3", { 0 } },
	{ "STATUS=", { .has_status = true } },
	{ "STATUS=up\nREADY=1", { .ready = true, .has_status = true, .status = "up" } },
	{ "STATUS=up\nSTATUS=down", { .has_status = true, .status = "down" } },
	{ "RELOADING=1\nMONOTONIC_USEC=123456", { .reloading = true, .has_monotonic = true,
						  .monotonic_usec = 123456 } },
	{ "MONOTONIC_USEC=-1", { 0 } },
	{ "MONOTONIC_USEC=18446744073709551615", { .has_monotonic = true,
						   .monotonic_usec = UINT64_MAX } },
	{ "MONOTONIC_USEC=18446744073709551616", { 0 } },
	{ "STOPPING=1", { .stopping = true } },
	{ "ERRNO=98", { .has_error = true, .error = 98 } },
	{ "ERRNO=4096", { 0 } },
	{ "ERRNO=", { 0 } },
	{ "ERRNO=1x", { 0 } },
	{ "EXTEND_TIMEOUT_USEC=5000000", { .extend_usec = 5000000 } },
	{ "BARRIER=1", { .barrier = true } },
	{ "WATCHDOG=1", { .ping = true } },
	{ "WATCHDOG=trigger", { .trigger = true } },
	{ "WATCHDOG=triggers", { 0 } },
	{ "WATCHDOG_USEC=0", { .has_watchdog = true } },
	{ "WATCHDOG_USEC=20", { .has_watchdog = true, .watchdog_usec = 20 } },
	{ "MAINPID=4711", { .main_pid = 4711 } },
	{ "MAINPID=2147483648", { 0 } },
	{ "MAINPID=-1", { 0 } },
	{ "MAINPIDFDID=77\nMAINPID=12", { .main_pid = 12, .main_pidfd_id = 77 } },
	{ "MAINPIDFD=1", { .main_pidfd = true } },
	{ "RESTART_RESET=1", { .restart_reset = true } },
	{ "FDSTORE=1\nFDNAME=a-b_c", { .store = true, .fd_name = "a-b_c" } },
	{ "FDSTORE=1\nFDPOLL=0", { .store = true, .store_unwatched = true } },
	{ "FDSTOREREMOVE=1\nFDNAME=x", { .store_remove = true, .fd_name = "x" } },
	{ "FDNAME=a:b", { 0 } },
	{ "FDNAME=a b", { 0 } },
	{ "FDNAME=\177", { 0 } },
};

static void each_datagram_says_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct notify_message m;

		notify_parse(rows[i].bytes, strlen(rows[i].bytes), &m);
		if (memcmp(&m, &rows[i].says, sizeof(m)) != 0)
			fail_msg("\"%s\"", rows[i].bytes);
	}
}

static void a_name_has_255_characters_at_most(void **state)
{
	char bytes[512] = "FDNAME=";
	struct notify_message m;

	(void)state;
	memset(bytes + 7, 'x', sizeof(bytes) - 7);
	notify_parse(bytes, 7 + 255, &m);
	assert_int_equal(strlen(m.fd_name), 255);
	notify_parse(bytes, 7 + 256, &m);
	assert_string_equal(m.fd_name, "");
}

static void a_status_is_cut_between_characters(void **state)
{
	char bytes[600] = "STATUS=x";
	struct notify_message m;

	(void)state;
	for (size_t i = 8; i + 1 < sizeof(bytes); i += 2)
		memcpy(bytes + i, "\xc3\xa4", 2);
	notify_parse(bytes, sizeof(bytes), &m);
	assert_int_equal(strlen(m.status), NOTIFY_STATUS_SIZE - 1);
	memmove(bytes + 7, bytes + 8, sizeof(bytes) - 8);
	notify_parse(bytes, sizeof(bytes) - 1, &m);
	assert_int_equal(strlen(m.status), NOTIFY_STATUS_SIZE - 2);
}

static void a_status_is_cut_not_overrun(void **state)
{
	char bytes[4096] = "STATUS=";
	struct notify_message m;

	(void)state;
	memset(bytes + 7, 'x', sizeof(bytes) - 7);
	notify_parse(bytes, sizeof(bytes), &m);
	assert_int_equal(strlen(m.status), NOTIFY_STATUS_SIZE - 1);
}

static void what_outsiders_say_cannot_move_a_cursor(void **state)
{
	static const char bytes[] = "a\033[2Jb\n\\ \xc3\xa4 \xff\xc2\x85";
	struct str s = { 0 };

	(void)state;
	str_add_escaped(&s, bytes, sizeof(bytes) - 1);
	assert_string_equal(str_text(&s), "a\\x1b[2Jb\\x0a\\\\ \xc3\xa4 \\xff\\xc2\\x85");
	str_fini(&s);
}

static unsigned heard, waiting;

static void on_message(struct notify *n, struct notify_message *m)
{
	char bytes[16];

	heard += m->ready;
	waiting += recv(n->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT) == 7;
}

static void a_message_waits_until_it_was_dealt_with(void **state)
{
	struct loop *loop = loop_new(NULL);
	struct notify n;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	notify_go_on(&n, loop, ends[0], "/nonexistent", on_message);
	for (int i = 0; i < 2; i++)
		assert_int_equal(send(ends[1], "READY=1", 7, 0), 7);
	assert_false(notify_drain(&n));
	assert_int_equal(heard, 2);
	assert_int_equal(waiting, 2);
	notify_close(&n);
	fd_close(&ends[1]);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_datagram_says_what_it_says),
		cmocka_unit_test(a_status_is_cut_not_overrun),
		cmocka_unit_test(a_status_is_cut_between_characters),
		cmocka_unit_test(a_name_has_255_characters_at_most),
		cmocka_unit_test(what_outsiders_say_cannot_move_a_cursor),
		cmocka_unit_test(a_message_waits_until_it_was_dealt_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
