#include "logs/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

enum { CHUNK = 65536, CHUNKS_AT_END = 64, SAY_MS = 1000 };

struct captured {
	int fd;				/* -1: it has ended */
	const char *origin;		/* "web/3/0"; the owner's */
	struct ration *ration;		/* the owner's; NULL: none */
	struct loop *loop;
	int64_t lines_lost, bytes_lost, said;	/* by that, and when it was said */
	struct loop_io io;
	struct str partial;
	char **lines;			/* a ring of CAPTURE_LINES; NULL: it said nothing yet */
	unsigned next;
};

static void keep(struct captured *c, const char *line, size_t length)
{
	if (!c->lines)
		c->lines = mem_new(CAPTURE_LINES * sizeof(*c->lines));
	free(c->lines[c->next]);
	c->lines[c->next] = mem_text_n(line, length);
	c->next = (c->next + 1) % CAPTURE_LINES;
}

static void pass_on(struct str *out, const struct captured *c, const char *line, size_t length)
{
	str_add(out, c->origin);
	str_add(out, ": ");
	str_add_n(out, line, length);
	str_add(out, "\n");
}

static void say_lost(struct str *out, struct captured *c)
{
	if (!c->lines_lost)
		return;
	str_addf(out, "%s: holdport: %lld lines (%lld bytes) are missing here: more than log_rate "
		 "= %lld lines a second\n", c->origin, (long long)c->lines_lost,
		 (long long)c->bytes_lost, (long long)c->ration->rate);
	c->lines_lost = c->bytes_lost = 0;
}

/* What was dropped is said before what comes after it, but once a second. */
static void ration_out(struct str *out, struct captured *c, const char *line, size_t length)
{
	int64_t now = loop_now(c->loop);

	if (c->ration && !ration_take(c->ration, 1, now)) {
		c->lines_lost++;
		c->bytes_lost += (int64_t)length + 1;
		return;
	}
	if (c->lines_lost && now - c->said >= SAY_MS) {
		say_lost(out, c);
		c->said = now;
	}
	pass_on(out, c, line, length);
}

static void take_lines(struct captured *c, bool at_end)
{
	struct str out = { 0 };
	size_t done = 0;

	while (done < c->partial.length) {
		const char *line = c->partial.data + done;
		size_t left = c->partial.length - done;
		const char *end = memchr(line, '\n', left);
		size_t length = end ? (size_t)(end - line) : left;

		if (!end && !at_end && left < CAPTURE_LINE_MOST)
			break;
		if (length > CAPTURE_LINE_MOST) {
			length = CAPTURE_LINE_MOST;
			end = NULL;
		}
		keep(c, line, length);
		ration_out(&out, c, line, length);
		done += length + (end ? 1 : 0);
	}
	str_cut(&c->partial, done);
	if (at_end)
		say_lost(&out, c);
	/* All at once: what comes from two workers does not mix in a line. */
	if (!fd_try_write(STDERR_FILENO, str_text(&out), out.length))
		log_warning("%s: some of its output was lost: nobody reads our standard error",
			    c->origin);
	str_fini(&out);
}

/* 1: there was something, 0: nothing now, -1: the end. */
static int read_chunk(struct captured *c)
{
	char bytes[CHUNK];
	ssize_t n = read(c->fd, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	str_add_n(&c->partial, bytes, (size_t)n);
	take_lines(c, false);
	return 1;
}

static void end(struct captured *c)
{
	if (c->fd < 0)
		return;
	for (int i = 0; i < CHUNKS_AT_END && read_chunk(c) > 0; i++)
		;
	take_lines(c, true);
	loop_io_close(&c->io, &c->fd);
}

static void on_readable(struct loop_io *io, int events)
{
	struct captured *c = OWNER(io, struct captured, io);

	(void)events;
	if (read_chunk(c) < 0)
		end(c);
}

void capture_start(struct capture *c, struct loop *loop, int fd, const char *origin,
		   struct ration *ration)
{
	c->from = MEM_NEW(struct captured);
	c->from->fd = fd;
	c->from->origin = origin;
	c->from->ration = ration;
	c->from->loop = loop;
	loop_io_start(loop, &c->from->io, fd, LOOP_READ, on_readable);
}

void capture_write(struct capture *c, struct log_writer *w, int fd, const char *origin,
		   const struct log_target *target)
{
	c->stream = log_stream_new(w, fd, origin, target);
}

int capture_fd(const struct capture *c)
{
	if (c->stream)
		return c->stream->fd;
	return c->from ? c->from->fd : -1;
}

void capture_end(struct capture *c)
{
	if (c->from)
		end(c->from);
	if (c->stream)
		log_stream_end(c->stream);
}

const char *capture_half(const struct capture *c)
{
	return c->from && c->from->fd >= 0 && c->from->partial.length
		       ? str_text(&c->from->partial) : NULL;
}

void capture_go_on(struct capture *c, const char *half)
{
	if (c->from && half)
		str_add(&c->from->partial, half);
}

void capture_last(const struct capture *c, size_t most, struct text_list *ret)
{
	const struct captured *from = c->from;

	if (c->stream)
		log_stream_last(c->stream, most, ret);
	for (unsigned i = 0; from && from->lines && i < CAPTURE_LINES; i++) {
		const char *line = from->lines[(from->next + i) % CAPTURE_LINES];

		if (line && CAPTURE_LINES - i <= most)
			text_list_add(ret, line);
	}
}

void capture_fini(struct capture *c)
{
	struct captured *from = c->from;

	if (c->stream)
		log_stream_let_go(c->stream);
	c->stream = NULL;
	if (!from)
		return;
	end(from);
	str_fini(&from->partial);
	for (unsigned i = 0; from->lines && i < CAPTURE_LINES; i++)
		free(from->lines[i]);
	free(from->lines);
	free(from);
	c->from = NULL;
}
