#include "logs/writer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/owner.h"
#include "logs/scribe.h"
#include "platform/platform.h"

enum { AGAIN_MS = 100, AGAIN_SLOW_MS = 500, SHORT_LIFE_MS = 1000, STOP_PATIENCE_MS = 3500 };

void log_writer_start(struct log_writer *w, struct loop *loop, int lock)
{
	*w = (struct log_writer){ .loop = loop, .lock = lock, .process = PROCESS_NONE,
				  .channel = -1, .tails_fd = -1 };
	list_init(&w->streams);
}

static void hang_up(struct log_writer *w)
{
	loop_io_stop(&w->io);
	fd_close(&w->channel);
	list_each(s, &w->streams, struct log_stream, node)
		s->told = s->told_end = false;
}

static void on_again(struct loop_timer *t)
{
	log_writer_wake(OWNER(t, struct log_writer, again));
}

/* It has stepped out, or could not be executed: then its channel says the same. */
static void on_stepped_out(struct loop_child *c)
{
	platform_reap(&OWNER(c, struct log_writer, child)->process);
}

static void on_lost(struct log_writer *w)
{
	bool short_life = loop_now(w->loop) - w->started < SHORT_LIFE_MS;

	hang_up(w);
	log_warning("the process that writes logs has ended; another one goes on");
	loop_timer_start(w->loop, &w->again, short_life ? AGAIN_SLOW_MS : AGAIN_MS, on_again);
}

static struct log_stream *by_number(struct log_writer *w, uint32_t number)
{
	list_each(s, &w->streams, struct log_stream, node)
		if (s->number == number)
			return s;
	return NULL;
}

static void take_answer(struct log_writer *w, const struct answer *a)
{
	struct log_stream *s;

	if (a->word == ANSWER_SAY) {
		log_line(a->number < LOG_LEVEL_COUNT ? (enum log_level)a->number : LOG_LEVEL_INFO,
			 "%s", a->text);
		return;
	}
	s = by_number(w, a->number);
	if (!s || !s->ended)
		return;
	fd_close(&s->fd);
	if (s->let_go)
		log_stream_remove(s);
}

static void tell(struct log_writer *w);

static void on_channel(struct loop_io *io, int events)
{
	struct log_writer *w = OWNER(io, struct log_writer, io);
	struct answer a;
	int got = 1;

	while ((events & LOOP_READ) && (got = answer_receive(w->channel, &a)) > 0)
		take_answer(w, &a);
	if (got < 0)
		on_lost(w);
	else if (events & LOOP_WRITE)
		tell(w);
}

static int open_tails(struct log_writer *w, struct err *err)
{
	if (w->tails)
		return 0;
	w->tails_fd = tails_open(err);
	w->tails = w->tails_fd >= 0 ? tails_map(w->tails_fd) : NULL;
	if (w->tails || w->tails_fd < 0)
		return w->tails ? 0 : -1;
	fd_close(&w->tails_fd);
	return err_sys(err, errno, "cannot map memory for last lines");
}

static int spawn(struct log_writer *w, int theirs, struct err *err)
{
	char word[] = SCRIBE_WORD, name[] = "holdportd", *argv[] = { name, word, NULL };
	const int fds[SCRIBE_FDS] = { SPAWN_FD_NULL, SPAWN_FD_NULL, STDERR_FILENO,
				      [SCRIBE_ORDERS] = theirs, [SCRIBE_TAILS] = w->tails_fd,
				      [SCRIBE_LOCK] = w->lock };
	int image = platform_own_image("/proc/self/exe"), report, rc;
	struct spawn s = { .path = "/proc/self/exe", .file = image >= 0 ? &image : NULL,
			   .argv = argv, .env = environ, .session = true, .fds = fds,
			   .fd_count = SCRIBE_FDS };

	loop_child_stop(&w->child);
	platform_reap(&w->process);
	rc = platform_spawn(&s, &w->process, &report, err);
	fd_close(&image);
	if (rc == 0)
		fd_close(&report);
	return rc;
}

static int start(struct log_writer *w, struct err *err)
{
	int ends[2], rc;

	if (open_tails(w, err) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return err_sys(err, errno, "cannot make a channel");
	rc = spawn(w, ends[1], err);
	fd_close(&ends[1]);
	if (rc < 0) {
		fd_close(&ends[0]);
		return -1;
	}
	w->channel = ends[0];
	w->started = loop_now(w->loop);
	loop_child_start(w->loop, &w->child, &w->process, on_stepped_out);
	loop_io_start(w->loop, &w->io, w->channel, LOOP_READ, on_channel);
	return 0;
}

static int send_add(struct log_writer *w, struct log_stream *s)
{
	struct order o = { .word = ORDER_ADD, .number = s->number, .tail = s->tail,
			   .target = s->target };
	int sent;

	memcpy(o.origin, s->origin, sizeof(o.origin));
	(void)snprintf(o.path, sizeof(o.path), "%s", s->target.path);
	sent = order_send(w->channel, &o, s->fd);
	s->told = sent > 0;
	return sent;
}

static int send_end(struct log_writer *w, struct log_stream *s)
{
	const struct order o = { .word = ORDER_END, .number = s->number };
	int sent = order_send(w->channel, &o, -1);

	s->told_end = sent > 0;
	return sent;
}

/* False: not now.  Of most there is nothing to be said, and an order is large. */
static bool say(struct log_writer *w, struct log_stream *s)
{
	return (s->told || send_add(w, s) > 0) &&
	       (!s->ended || s->told_end || send_end(w, s) > 0);
}

/* True: all that is to be said has been. */
static bool say_all(struct log_writer *w)
{
	const struct order again = { .word = ORDER_REOPEN };

	list_each(s, &w->streams, struct log_stream, node)
		if (s->fd >= 0 && !say(w, s))
			return false;
	if (w->reopen && order_send(w->channel, &again, -1) <= 0)
		return false;
	w->reopen = false;
	return true;
}

static void tell(struct log_writer *w)
{
	struct err err;
	bool all;

	if (w->channel < 0 && start(w, &err) < 0) {
		log_error("logs: %s; it is tried again", err.text);
		loop_timer_start(w->loop, &w->again, AGAIN_SLOW_MS, on_again);
		return;
	}
	all = say_all(w);
	loop_io_start(w->loop, &w->io, w->channel, all ? LOOP_READ : LOOP_READ | LOOP_WRITE,
		      on_channel);
}

static void on_later(struct loop_later *l)
{
	tell(OWNER(l, struct log_writer, later));
}

void log_writer_wake(struct log_writer *w)
{
	if (!loop_timer_runs(&w->again))
		loop_later_start(w->loop, &w->later, on_later);
}

void log_writer_reopen(struct log_writer *w)
{
	if (w->channel < 0)
		return;
	w->reopen = true;
	log_writer_wake(w);
}

/* It ends when it has written what is there: so it is waited for, but not for a disk. */
static void await_end(struct log_writer *w)
{
	int64_t until = clock_monotonic_ms() + STOP_PATIENCE_MS, left;
	struct pollfd p = { .fd = w->channel, .events = POLLIN };
	struct answer a;
	int got = 0;

	(void)shutdown(w->channel, SHUT_WR);
	while (got >= 0 && (left = until - clock_monotonic_ms()) > 0) {
		(void)poll(&p, 1, (int)left);
		while ((got = answer_receive(w->channel, &a)) > 0)
			take_answer(w, &a);
	}
}

void log_writer_stop(struct log_writer *w)
{
	if (w->channel >= 0) {
		(void)say_all(w);
		await_end(w);
	}
	loop_later_stop(&w->later);
	loop_timer_stop(&w->again);
	loop_child_stop(&w->child);
	platform_reap(&w->process);
	hang_up(w);
	list_each_safe(s, &w->streams, struct log_stream, node)
		log_stream_remove(s);
	tails_unmap(w->tails);
	fd_close(&w->tails_fd);
}
