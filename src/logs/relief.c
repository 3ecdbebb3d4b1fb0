/* What is looked after while something is written, hangs or has failed. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "logs/desk.h"
#include "logs/lines.h"

/* Its worker would wait for the disk: every whole line in the pipe goes, also what a
 * thread is about to write, which is then not taken out again. */
static void empty(struct desk *d, struct stream *s)
{
	static char bytes[65536];
	long there = platform_look(&d->glass, s->fd, bytes, sizeof(bytes));
	const char *end;
	size_t count;

	if (s->ended || !desk_is_full(s->fd, there))
		return;
	end = memrchr(bytes, '\n', (size_t)there);
	count = end ? (size_t)(end - bytes) + 1 : (size_t)there;
	platform_look_skip(&d->glass, s->fd, count);
	if (s->tail)
		tail_add(s->tail, bytes, count);
	s->sheet->bytes_lost += count;
	s->sheet->lines_lost += lines_count(bytes, count);
	s->overrun = true;
}

static void relieve(struct desk *d, struct sheet *s)
{
	if (!s->hung)
		desk_say(d, LOG_LEVEL_ERROR, "%s: %s; output stays in its pipes, and is dropped "
			 "when they are full", s->told.path,
			 s->busy ? "the disk does not answer"
				 : "the disks of too many other logs do not answer");
	s->hung = true;
	list_each(at, &s->streams, struct stream, node)
		empty(d, at);
}

static void try_again(struct desk *d, struct sheet *s, int64_t now)
{
	s->since = now;
	s->quiet = s->unsaid;
	list_each(at, &s->streams, struct stream, node)
		at->ready = true;
	desk_queue(d, s);
}

/* No thread will come: each has a disk that hangs. */
static bool waits_for_all(const struct desk *d, const struct sheet *s)
{
	return !list_empty(&s->queued) && !d->idle && d->threads == DESK_THREADS_MOST;
}

bool desk_tick(struct desk *d)
{
	int64_t now = clock_monotonic_ms();
	bool active = !list_empty(&d->queue);

	d->writing = false;
	list_each(s, &d->sheets, struct sheet, node) {
		d->writing = d->writing || (s->busy && now - s->since < DESK_HUNG_MS);
		active = active || s->busy || s->failing || s->unsaid;
		if ((s->busy || waits_for_all(d, s)) && now - s->since >= DESK_HUNG_MS)
			relieve(d, s);
		else if ((s->failing || s->unsaid) && !s->busy && now - s->since >= DESK_AGAIN_MS)
			try_again(d, s, now);
	}
	if (!list_empty(&d->queue) && !d->idle && d->threads < DESK_THREADS_MOST)
		desk_more(d);
	return active;
}
