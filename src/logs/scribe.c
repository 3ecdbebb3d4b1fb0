#include "logs/scribe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "logs/desk.h"
#include "platform/platform.h"
#include "platform/process.h"

enum { LOCK_PATIENCE_MS = 5000, LOCK_LOOK_MS = 5, LEAVE_PATIENCE_MS = 3000,
       BUSY_MS = 2 };

struct scribe {
	struct desk desk;
	struct tail *tails;
	int edges, wake, stalls;
	int64_t leave_by;		/* 0: the manager is there */
};

/* What was passed to us keeps the runtime directory taken for as long as we live, also
 * when the manager is gone: one of our own does not. */
static void open_lock_anew(void)
{
	char path[40];
	int own;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", SCRIBE_LOCK);
	own = open(path, O_RDWR | O_CLOEXEC);
	if (own >= 0)
		(void)dup3(own, SCRIBE_LOCK, O_CLOEXEC);
	fd_close(&own);
}

/* Two that write from one pipe would each take what the other has written.  One whose
 * disk hangs is not waited for without end: it can only write once more what it had. */
static void wait_for_lock(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct timespec pause = { .tv_nsec = LOCK_LOOK_MS * 1000000L };

	for (int i = 0; i < LOCK_PATIENCE_MS / LOCK_LOOK_MS; i++) {
		if (fcntl(SCRIBE_LOCK, F_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static struct stream *find(struct scribe *s, uint32_t number)
{
	list_each(sheet, &s->desk.sheets, struct sheet, node)
		list_each(at, &sheet->streams, struct stream, node)
			if (at->number == number)
				return at;
	return NULL;
}

static void add(struct scribe *s, const struct order *o, int *fd)
{
	struct tail *tail = s->tails && o->tail < TAILS_MOST ? &s->tails[o->tail] : NULL;
	struct stream *new;

	if (*fd < 0)
		return;
	new = desk_add(&s->desk, &o->target, o->origin, fd_take(fd), tail);
	new->number = o->number;
	(void)fd_non_blocking(new->fd, 1);
	if (platform_edges_add(s->edges, new->fd, new) < 0)
		desk_say(&s->desk, LOG_LEVEL_ERROR, "%s: its output cannot be watched: %s",
			 o->origin, strerror(errno));
}

static void wake_up(struct scribe *s, struct stream *stream)
{
	stream->ready = true;
	desk_queue(&s->desk, stream->sheet);
}

/* Workers that end again and again while their file cannot be written. */
static void forsake_oldest(struct scribe *s, struct sheet *sheet)
{
	struct stream *oldest = NULL;
	unsigned count = 0;

	list_each(at, &sheet->streams, struct stream, node) {
		if (!at->ended || at->forsaken)
			continue;
		if (!oldest || at->number < oldest->number)
			oldest = at;
		count++;
	}
	if (count <= DESK_ENDED_MOST)
		return;
	oldest->forsaken = true;
	wake_up(s, oldest);
}

static void end(struct scribe *s, const struct order *o, int *fd)
{
	struct stream *stream = find(s, o->number);

	(void)fd;
	if (!stream)
		return;
	stream->ended = true;
	forsake_oldest(s, stream->sheet);
	wake_up(s, stream);
}

static void reopen(struct scribe *s, const struct order *o, int *fd)
{
	(void)o;
	(void)fd;
	list_each(sheet, &s->desk.sheets, struct sheet, node) {
		sheet->reopen = true;
		desk_queue(&s->desk, sheet);
	}
}

static void (*const acts[])(struct scribe *s, const struct order *o, int *fd) = {
	[ORDER_ADD] = add,
	[ORDER_END] = end,
	[ORDER_REOPEN] = reopen,
};

/* A crash of the manager is no end of its workers: half a line stays in its pipe. */
static void leave(struct scribe *s)
{
	s->leave_by = clock_monotonic_ms() + LEAVE_PATIENCE_MS;
	list_each(sheet, &s->desk.sheets, struct sheet, node)
		list_each(at, &sheet->streams, struct stream, node) {
			at->last = !at->ended;
			at->forsaken = at->ended;
			wake_up(s, at);
		}
}

static void take_orders(struct scribe *s)
{
	struct order o;
	int fd, got;

	while ((got = order_receive(SCRIBE_ORDERS, &o, &fd)) > 0) {
		if ((size_t)o.word < COUNT(acts))
			acts[o.word](s, &o, &fd);
		fd_close(&fd);
	}
	if (got < 0)
		leave(s);
}

static void take_edges(struct scribe *s)
{
	struct stream *stream;

	while ((stream = platform_edges_next(s->edges)) != NULL)
		wake_up(s, stream);
}

/* One of them did; which, nobody says. */
static void take_stalls(struct scribe *s)
{
	platform_stalls_clear(s->stalls);
	list_each(sheet, &s->desk.sheets, struct sheet, node)
		list_each(at, &sheet->streams, struct stream, node)
			if (at->left)
				wake_up(s, at);
}

/* Where the manager does not listen now it is told with the next tick. */
static bool bury(struct scribe *s, struct stream *stream)
{
	struct answer a = { .word = ANSWER_ENDED, .number = stream->number };

	if (!s->leave_by && answer_send(SCRIBE_ORDERS, &a) == 0)
		return false;
	platform_edges_remove(s->edges, stream->fd);
	fd_close(&stream->fd);
	list_remove(&stream->node);
	free(stream);
	return true;
}

/* True: somebody is still to be buried. */
static bool bury_done(struct scribe *s)
{
	char bytes[64];
	bool left = false;

	while (read(s->wake, bytes, sizeof(bytes)) > 0)
		;
	list_each(sheet, &s->desk.sheets, struct sheet, node) {
		list_each_safe(at, &sheet->streams, struct stream, node)
			left = (at->done && !bury(s, at)) || left;
		if (!list_empty(&sheet->streams) || sheet->retire)
			continue;
		sheet->retire = true;
		desk_queue(&s->desk, sheet);
	}
	return left;
}

static bool is_over(const struct scribe *s)
{
	return s->leave_by &&
	       (list_empty(&s->desk.sheets) || clock_monotonic_ms() >= s->leave_by);
}

/* While something is written what comes is looked for now and then, and not with each write(2)
 * of a worker: whoever writes that goes on by itself. */
static void run(struct scribe *s)
{
	bool active = true;

	while (!is_over(s)) {
		struct pollfd p[] = {
			{ .fd = s->leave_by ? -1 : SCRIBE_ORDERS, .events = POLLIN },
			{ .fd = s->desk.writing ? -1 : s->edges, .events = POLLIN },
			{ .fd = s->wake, .events = POLLIN },
			{ .fd = s->stalls, .events = POLLIN },
		};

		(void)poll(p, COUNT(p), s->desk.writing ? BUSY_MS :
			   active || s->leave_by ? DESK_TICK_MS : -1);
		(void)pthread_mutex_lock(&s->desk.lock);
		if (p[0].revents)
			take_orders(s);
		if (!s->leave_by)
			take_edges(s);
		if (p[3].revents)
			take_stalls(s);
		active = bury_done(s);
		active = desk_tick(&s->desk) || active;
		(void)pthread_mutex_unlock(&s->desk.lock);
	}
}

static void raise_limit(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &most) < 0)
		return;
	most.rlim_cur = most.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &most);
}

int scribe_run(int argc, char **argv)
{
	struct scribe s = { .tails = tails_map(SCRIBE_TAILS), .edges = platform_edges_open() };
	struct err err;
	int wake[2];

	(void)argc;
	(void)argv;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);		/* a file too long is an error of write(2) */
	platform_step_out();
	platform_close_on_exec_from(STDERR_FILENO + 1);
	platform_name_process("holdport-scribe");
	raise_limit();
	if (s.edges < 0 || pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return EXIT_FAILURE;
	s.wake = wake[0];
	s.stalls = platform_stalls_open();
	if (desk_init(&s.desk, SCRIBE_ORDERS, wake[1], &err) < 0) {
		desk_say(&s.desk, LOG_LEVEL_ERROR, "logs: %s", err.text);
		return EXIT_FAILURE;
	}
	open_lock_anew();
	wait_for_lock();
	run(&s);
	/* A thread may be in the midst of a write that does not end. */
	_exit(EXIT_SUCCESS);
}
