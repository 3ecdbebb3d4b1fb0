/* What another process has open is copied, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"
#include "platform/process.h"

/* A child that has a socket and an end of a pipe for both, which we have not. */
struct other {
	pid_t pid;
	uint64_t socket, pipe;
	int write_end;			/* of the pipe, ours after all */
};

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_ino;
}

static int start_other(void **state)
{
	static struct other o;
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
	struct err err;

	if (s < 0 || platform_output_pipe(&ends[0], &ends[1], &err) < 0)
		return -1;
	o = (struct other){ .socket = inode_of(s), .pipe = inode_of(ends[1]) };
	fd_close(&ends[0]);		/* it would be found first, and does not wait */
	o.pid = fork();
	if (o.pid == 0)
		for (;;)
			(void)pause();
	o.write_end = ends[1];
	fd_close(&s);
	*state = &o;
	return 0;
}

static int end_other(void **state)
{
	struct other *o = *state;

	(void)kill(o->pid, SIGKILL);
	(void)waitpid(o->pid, NULL, 0);
	fd_close(&o->write_end);
	return 0;
}

static void a_socket_comes_back(void **state)
{
	struct other *o = *state;
	struct lost_file lost[] = { { .inode = o->socket, .fd = -1 },
				    { .inode = o->socket + 1000000, .fd = -1 } };
	struct err err;

	assert_int_equal(platform_take_back(o->pid, lost, 2, &err), 0);
	assert_true(lost[0].fd >= 0);
	assert_int_equal(inode_of(lost[0].fd), o->socket);
	assert_int_equal(fcntl(lost[0].fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(lost[1].fd, -1);
	fd_close(&lost[0].fd);
}

/* Or a worker's output would fail where the pipe is full, and not wait. */
static void a_pipe_is_read_and_its_writer_waits_as_ever(void **state)
{
	struct other *o = *state;
	struct lost_file lost = { .inode = o->pipe, .fd = -1 };
	struct err err;
	char text[8] = "";

	assert_int_equal(platform_take_back(o->pid, &lost, 1, &err), 0);
	assert_true(lost.fd >= 0);
	assert_int_equal(write(o->write_end, "line", 4), 4);
	assert_int_equal(read(lost.fd, text, sizeof(text)), 4);
	assert_int_equal(read(lost.fd, text, sizeof(text)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(o->write_end, F_GETFL) & O_NONBLOCK, 0);
	fd_close(&lost.fd);
}

static void one_that_has_ended_has_nothing(void **state)
{
	struct other *o = *state;
	struct lost_file lost = { .inode = o->socket, .fd = -1 };
	struct err err;

	(void)kill(o->pid, SIGKILL);
	(void)waitpid(o->pid, NULL, 0);
	assert_int_equal(platform_take_back(o->pid, &lost, 1, &err), 0);
	assert_int_equal(lost.fd, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_other, end_other)
	const struct CMUnitTest tests[] = {
		TEST(a_socket_comes_back),
		TEST(a_pipe_is_read_and_its_writer_waits_as_ever),
		TEST(one_that_has_ended_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
