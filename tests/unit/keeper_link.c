/* The manager's end of the channel: nothing that is said is lost, however much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper/link.h"

/* Far more than the socket holds. */
enum { MANY = 2000, PATIENCE_MS = 60000 };

static struct loop *loop;
static int64_t last;
static unsigned heard, out_of_order;

/* As a keeper: each question is answered before the next one is read. */
static _Noreturn void answer_all(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct channel_message m = { .word = 0 };
	int none;

	while (m.word != CHANNEL_LEAVING && poll(&p, 1, PATIENCE_MS) > 0) {
		if (channel_receive(fd, &m, &none) <= 0 || m.word != CHANNEL_PEEK)
			continue;
		while (channel_send(fd, CHANNEL_ENDED, m.number, END_NOT_YET, NULL, -1) < 0)
			if (errno != EAGAIN)
				_exit(1);
	}
	_exit(m.word == CHANNEL_LEAVING ? 0 : 2);
}

static void on_heard(struct keeper_link *l, const struct channel_message *m, int *fd)
{
	(void)l;
	(void)fd;
	out_of_order += m->number != ++last;
	if (++heard == MANY)
		loop_stop(loop);
}

static void on_late(struct loop_timer *t)
{
	(void)t;
	loop_stop(loop);
}

static void many_questions_at_once_are_all_answered(void **state)
{
	struct keeper_link l;
	struct loop_timer late = { 0 };
	int ends[2], status = -1;
	pid_t keeper;

	(void)state;
	assert_int_equal(channel_open(ends, NULL), 0);
	keeper = fork();
	if (keeper == 0) {
		(void)close(ends[0]);
		answer_all(ends[1]);
	}
	fd_close(&ends[1]);
	loop = loop_new(NULL);
	link_init(&l, ends[0]);
	l.heard = on_heard;
	link_start(&l, loop);
	for (int i = 1; i <= MANY; i++)
		link_say(&l, CHANNEL_PEEK, i, NULL, -1);
	loop_timer_start(loop, &late, PATIENCE_MS, on_late);
	loop_run(loop);
	assert_int_equal(heard, MANY);
	assert_int_equal(out_of_order, 0);
	link_say(&l, CHANNEL_LEAVING, 0, NULL, -1);
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	assert_int_equal(status, 0);
	loop_timer_stop(&late);
	link_close(&l);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_questions_at_once_are_all_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
