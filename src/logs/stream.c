#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "logs/writer.h"
#include "platform/platform.h"

enum { LOOKS_MOST = 1000, PIPE_MOST = 65536 };

static bool has_tail(const struct log_writer *w, uint32_t tail)
{
	list_each(s, &w->streams, struct log_stream, node)
		if (s->tail == tail)
			return true;
	return false;
}

/* Beyond them all: none. */
static uint32_t free_tail(struct log_writer *w)
{
	for (uint32_t i = 1; i < TAILS_MOST; i++)
		if (!has_tail(w, (w->last_number + i) % TAILS_MOST))
			return (w->last_number + i) % TAILS_MOST;
	return TAILS_MOST;
}

struct log_stream *log_stream_new(struct log_writer *w, int fd, const char *origin,
				  const struct log_target *target)
{
	struct log_stream *s = MEM_NEW(struct log_stream);

	s->writer = w;
	s->fd = fd;
	s->tail = free_tail(w);
	s->number = ++w->last_number;
	s->target = *target;
	s->target.path = mem_text(target->path);
	(void)snprintf(s->origin, sizeof(s->origin), "%s", origin);
	list_append(&w->streams, &s->node);
	if (w->tails && s->tail < TAILS_MOST)
		tail_clear(&w->tails[s->tail]);
	log_writer_wake(w);
	return s;
}

void log_stream_end(struct log_stream *s)
{
	s->ended = true;
	log_writer_wake(s->writer);
}

static void look_into(int fd, struct str *out)
{
	struct glass glass;
	char *bytes;
	long n;

	if (fd < 0 || platform_look_open(&glass, NULL) < 0)
		return;
	bytes = mem_new(PIPE_MOST);
	n = platform_look(&glass, fd, bytes, PIPE_MOST);
	if (n > 0)
		str_add_n(out, bytes, (size_t)n);
	free(bytes);
	platform_look_close(&glass);
}

/* What was written, and what is still in the pipe.  While some is in both, or was moved
 * from one to the other since, it is looked at again; who moves it does no more between
 * the two than that. */
static void look_at(const struct log_stream *s, struct str *out)
{
	struct tail *tails = s->writer->tails;
	struct tail *t = tails && s->tail < TAILS_MOST ? &tails[s->tail] : NULL;

	for (int i = 0; i < LOOKS_MOST; i++) {
		uint32_t turn = t ? atomic_load(&t->turn) : 0;

		str_clear(out);
		if (t)
			tail_read(t, out);
		look_into(s->fd, out);
		if (!t || (!(turn & 1) && atomic_load(&t->turn) == turn))
			return;
	}
}

static void add_lines(const struct str *text, size_t most, struct text_list *ret)
{
	const char *begin = str_text(text), *end = begin + text->length, *at = end;
	size_t lines = 0;

	if (at > begin && at[-1] == '\n')
		at--;
	while (at > begin && (at[-1] != '\n' || ++lines < most))
		at--;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((stop ? stop : end) - at);

		text_list_add_owned(ret, mem_text_n(at, length));
		at += length + 1;
	}
}

void log_stream_last(const struct log_stream *s, size_t most, struct text_list *ret)
{
	struct str text = { 0 };

	look_at(s, &text);
	add_lines(&text, most, ret);
	str_fini(&text);
}

void log_stream_let_go(struct log_stream *s)
{
	s->let_go = true;
	if (s->fd < 0)
		log_stream_remove(s);
	else if (!s->ended)
		log_stream_end(s);
}

void log_stream_remove(struct log_stream *s)
{
	fd_close(&s->fd);
	list_remove(&s->node);
	free(s->target.path);
	free(s);
}
