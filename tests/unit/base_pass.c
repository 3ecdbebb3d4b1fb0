/* Descriptors that come by a message: one is ours, none is left open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pass.h"

static int ends[2];

static int open_ends(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int close_ends(void **state)
{
	(void)state;
	fd_close(&ends[0]);
	fd_close(&ends[1]);
	return 0;
}

static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), lowest = fd;

	fd_close(&fd);
	return lowest;
}

static int open_now(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void send_many(int count)
{
	char bytes[CMSG_SPACE(8 * sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec part = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = bytes,
			    .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	for (int i = 0; i < count; i++)
		memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &ends[0], sizeof(int));
	assert_int_equal(sendmsg(ends[0], &m, 0), 1);
}

static void the_first_of_several_is_ours_and_the_others_are_closed(void **state)
{
	int before = lowest_free(), were_open = open_now(), fd;
	char byte;

	(void)state;
	for (int count = 1; count <= 8; count++) {
		send_many(count);
		assert_int_equal(pass_receive(ends[1], &byte, 1, &fd), 1);
		assert_int_equal(fd, before);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		fd_close(&fd);
		assert_int_equal(open_now(), were_open);
	}
}

static void as_many_as_there_is_room_for_are_ours(void **state)
{
	int were_open = open_now(), fds[4];
	size_t came;
	char byte;

	(void)state;
	for (int count = 0; count <= 8; count++) {
		if (count)
			send_many(count);
		else
			assert_int_equal(send(ends[0], "x", 1, 0), 1);
		assert_int_equal(pass_receive_all(ends[1], &byte, 1, fds, 4, &came), 1);
		assert_int_equal(came, count < 4 ? count : 4);
		while (came)
			fd_close(&fds[--came]);
		assert_int_equal(open_now(), were_open);
	}
}

static void none_is_none(void **state)
{
	char byte;
	int fd = 99;

	(void)state;
	assert_int_equal(pass_receive(ends[1], &byte, 1, &fd), -1);
	assert_int_equal(fd, -1);
	assert_int_equal(send(ends[0], "x", 1, 0), 1);
	fd = 99;
	assert_int_equal(pass_receive(ends[1], &byte, 1, &fd), 1);
	assert_int_equal(fd, -1);
}

static void one_that_is_sent_comes(void **state)
{
	char byte;
	int fd;

	(void)state;
	assert_int_equal(pass_send(ends[0], "y", 1, ends[1]), 0);
	assert_int_equal(pass_receive(ends[1], &byte, 1, &fd), 1);
	assert_int_equal(byte, 'y');
	assert_true(fd > ends[1]);
	fd_close(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_several_is_ours_and_the_others_are_closed),
		cmocka_unit_test(as_many_as_there_is_room_for_are_ours),
		cmocka_unit_test(none_is_none),
		cmocka_unit_test(one_that_is_sent_comes),
	};

	return cmocka_run_group_tests(tests, open_ends, close_ends);
}
