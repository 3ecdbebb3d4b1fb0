/* From pipes to a file.  Bytes leave their pipe after they have been written: whoever
 * comes after us finds what is not in the file, and at most one chunk twice. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "logs/load.h"
#include "platform/platform.h"

enum { ROUNDS = 16, SOON_MS = 2 };

/* With the lock, by the thread that has the sheet. */
static void take_lost(struct sheet *s)
{
	if (s->bytes_lost)
		log_file_drop(&s->file, LOG_UNWRITTEN, s->lines_lost, s->bytes_lost, "the disk did not answer");
	s->lines_lost = s->bytes_lost = 0;
}

void load_take_out(struct bench *b, struct stream *s, const char *bytes, size_t count)
{
	struct desk *d = b->desk;

	(void)pthread_mutex_lock(&d->lock);
	if (!s->overrun && count) {
		if (s->tail) {
			tail_begin(s->tail);
			tail_add(s->tail, bytes, count);
		}
		platform_look_skip(&b->glass, s->fd, count);
		if (s->tail)
			tail_end(s->tail);
	}
	take_lost(s->sheet);
	s->sheet->unsaid = log_file_lacks(&s->sheet->file);
	s->sheet->since = clock_monotonic_ms();
	(void)pthread_mutex_unlock(&d->lock);
}

static bool is_full(int fd)
{
	int there = 0;

	return ioctl(fd, FIONREAD, &there) == 0 && desk_is_full(fd, there);
}

static void note_failing(struct desk *d, struct sheet *s, const struct err *err)
{
	if (!s->failing)
		desk_say(d, LOG_LEVEL_ERROR, "%s; output stays in its pipes, and is dropped when "
			 "they are full", err->text);
	(void)pthread_mutex_lock(&d->lock);
	s->failing = true;
	s->since = clock_monotonic_ms();
	(void)pthread_mutex_unlock(&d->lock);
}

void load_went_well(struct desk *d, struct sheet *s, int64_t dropped)
{
	bool again;

	(void)pthread_mutex_lock(&d->lock);
	/* What was lost while it hung is not in the file yet. */
	again = (s->failing || s->hung || dropped) && !s->bytes_lost;
	s->failing = false;
	s->hung = s->hung && !again;
	(void)pthread_mutex_unlock(&d->lock);
	if (again)
		desk_say(d, LOG_LEVEL_NOTICE, "%s is written again; %lld bytes were dropped",
			 s->file.target.path, (long long)dropped);
}

/* What did go is done; the rest stays where it is unless its worker would wait for it,
 * or too many have ended. */
static void settle(struct bench *b, struct stream *s, struct load *l, size_t written,
		   const struct err *err)
{
	struct str same = { 0 };
	size_t used = 0, lines = 0;

	note_failing(b->desk, s->sheet, err);
	if (l->out == l->bytes)
		l->lines = lines_count(l->bytes, l->used);
	if (written) {
		l->form.most = written;
		used = lines_take(&l->form, l->bytes, l->count, &same, &lines);
		str_fini(&same);
		if (l->out == l->bytes)
			lines = lines_count(l->bytes, used);
	}
	if (s->ended ? s->forsaken : is_full(s->fd)) {
		log_file_drop(&s->sheet->file, LOG_UNWRITTEN, l->lines - lines, l->used - used, err->text);
	} else {
		l->used = used;
		l->lines = lines;
	}
}

/* As they came they are written from where they are. */
static void make_lines(struct bench *b, struct load *l)
{
	if (!*l->form.front && !l->form.rest) {
		l->used = l->length = lines_whole(l->bytes, l->count);
		l->out = l->bytes;
		l->lines = l->granted;
		return;
	}
	str_clear(&b->out);
	l->used = lines_take(&l->form, l->bytes, l->count, &b->out, &l->lines);
	l->out = str_text(&b->out);
	l->length = b->out.length;
}

size_t load_look(struct bench *b, struct stream *s, size_t end)
{
	long count;

	(void)pthread_mutex_lock(&b->desk->lock);
	s->overrun = false;
	count = end ? platform_look_end(&b->glass, &b->copy, s->fd, b->bytes, CHUNK, end)
		    : platform_look(&b->glass, s->fd, b->bytes, CHUNK);
	(void)pthread_mutex_unlock(&b->desk->lock);
	return count > 0 ? (size_t)count : 0;
}

static void name_speaker(struct log_file *f, const struct stream *s)
{
	if (f->target.to == LOG_TO_FILE)
		return;
	f->pid = s->pid;
	memcpy(f->origin, s->origin, sizeof(f->origin));
}

static bool is_quiet(struct desk *d, struct sheet *s)
{
	bool quiet;

	(void)pthread_mutex_lock(&d->lock);
	quiet = s->quiet;
	s->quiet = false;
	(void)pthread_mutex_unlock(&d->lock);
	return quiet;
}

/* Nothing comes any more; what it lacks is said now. */
static void say_unsaid(struct bench *b, struct stream *s)
{
	struct sheet *sheet = s->sheet;
	int64_t dropped = sheet->file.missing[LOG_UNWRITTEN].bytes;
	size_t written;
	struct err err;

	if (!is_quiet(b->desk, sheet) || !log_file_lacks(&sheet->file))
		return;
	if (log_file_write(&sheet->file, "", 0, &written, &err) < 0)
		note_failing(b->desk, sheet, &err);
	else
		load_went_well(b->desk, sheet, dropped);
	sheet->limited = false;
	load_take_out(b, s, NULL, 0);
}

static void write_load(struct bench *b, struct stream *s, struct load *l)
{
	struct log_file *f = &s->sheet->file;
	int64_t dropped = f->missing[LOG_UNWRITTEN].bytes;
	struct err err;
	size_t written;

	if (!l->used)
		return;
	if (log_file_write(f, l->out, l->length, &written, &err) < 0)
		settle(b, s, l, written, &err);
	else
		load_went_well(b->desk, s->sheet, dropped);
}

enum news { EMPTY, LEFT /* what cannot be written yet */, MORE };

/* A quarter of a pipe. */
enum { PLENTY = CHUNK / 4 };

static enum news pump(struct bench *b, struct stream *s)
{
	struct log_file *f = &s->sheet->file;
	size_t count = load_look(b, s, 0);
	char front[LOG_FRONT_SIZE];
	struct load l = { .bytes = b->bytes, .count = count,
			  .form = { front, s->ended && count < CHUNK, OUT_MOST } };

	log_front(&f->target, s->origin, front);
	name_speaker(f, s);
	limit_load(b, s, &l);
	make_lines(b, &l);
	if (!l.used && !l.over) {
		say_unsaid(b, s);
		return l.count ? LEFT : EMPTY;
	}
	s->plenty = l.used >= PLENTY;
	write_load(b, s, &l);
	limit_settle(b, s, &l);
	load_take_out(b, s, l.bytes, l.used + l.over);
	return l.used + l.over ? MORE : LEFT;
}

/* True: it is heard since now, and what came before that has to be looked for. */
static bool hear_stalls(struct desk *d, struct stream *s, bool yes)
{
	if (s->left == yes)
		return false;
	(void)pthread_mutex_lock(&d->lock);
	s->left = yes;
	(void)pthread_mutex_unlock(&d->lock);
	return platform_stalls_hear(s->fd, yes) == 0 && yes;
}

/* Who says much is waited for here, for a moment: not by way of one who watches all. */
static bool more_comes(const struct stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	return s->plenty && poll(&p, 1, SOON_MS) > 0 && (p.revents & POLLIN);
}

static void serve(struct bench *b, struct stream *s)
{
	bool more = true, left = false;

	for (int i = 0; more && i < ROUNDS; i++) {
		enum news news = s->plenty && load_pass(b, s) ? MORE : pump(b, s);

		left = news == LEFT;
		more = hear_stalls(b->desk, s, left) || news == MORE ||
		       (news == EMPTY && more_comes(s));
	}
	(void)pthread_mutex_lock(&b->desk->lock);
	s->ready = s->ready || more;
	if (s->last || (s->ended && !s->ready && !left)) {
		s->done = true;
		(void)!write(b->desk->wake, "", 1);
	}
	(void)pthread_mutex_unlock(&b->desk->lock);
}

/* With the lock.  Each in turn: one that always has something keeps nobody waiting. */
static struct stream *next_ready(struct sheet *s)
{
	list_each_safe(at, &s->streams, struct stream, node)
		if (at->ready && !at->done) {
			at->ready = false;
			list_remove(&at->node);
			list_append(&s->streams, &at->node);
			return at;
		}
	return NULL;
}

static void pack_older(struct sheet *s)
{
	const struct log_target *t = &s->file.target;

	s->packing = (s->packing || s->file.turned) && t->pack &&
		     pack_some(&s->pack, t->path, t->keep);
	s->file.turned = false;
}

/* With the lock, which is not held while it is written to. */
static void work_on(struct bench *b, struct sheet *s)
{
	struct desk *d = b->desk;
	struct stream *next;

	while ((next = next_ready(s)) != NULL || s->reopen || (s->packing && !s->retire)) {
		bool reopen = s->reopen;

		s->reopen = false;
		s->since = clock_monotonic_ms();
		s->file.target = s->told;
		(void)pthread_mutex_unlock(&d->lock);
		if (reopen)
			log_file_close(&s->file);
		if (next)
			serve(b, next);
		pack_older(s);
		(void)pthread_mutex_lock(&d->lock);
	}
}

/* It will not do so itself. */
static void say_lacking(const struct desk *d, const struct log_file *f)
{
	for (int i = 0; i < LOG_CAUSES; i++)
		if (f->missing[i].bytes)
			desk_say(d, LOG_LEVEL_ERROR, "%s: %lld lines (%lld bytes) are missing: %s",
				 f->target.path, (long long)f->missing[i].lines,
				 (long long)f->missing[i].bytes, f->missing[i].why);
}

static void retire(struct desk *d, struct sheet *s)
{
	struct err err;
	size_t done;

	list_remove(&s->node);
	(void)pthread_mutex_unlock(&d->lock);
	if (log_file_write(&s->file, "", 0, &done, &err) < 0)
		say_lacking(d, &s->file);
	log_file_fini(&s->file);
	pack_stop(&s->pack);
	free(s->told.path);
	free(s);
	(void)pthread_mutex_lock(&d->lock);
}

static struct sheet *next_sheet(struct desk *d)
{
	struct sheet *s;

	d->idle++;
	while (list_empty(&d->queue))
		(void)pthread_cond_wait(&d->work, &d->lock);
	d->idle--;
	s = OWNER(d->queue.next, struct sheet, queued);
	list_remove(&s->queued);
	return s;
}

void *desk_thread(void *desk)
{
	struct bench *b = MEM_NEW(struct bench);
	struct err err;

	b->desk = desk;
	if (platform_look_open(&b->glass, &err) < 0 || platform_look_open(&b->copy, &err) < 0) {
		desk_say(b->desk, LOG_LEVEL_ERROR, "logs: %s", err.text);
		exit(EXIT_FAILURE);
	}
	(void)pthread_mutex_lock(&b->desk->lock);
	for (;;) {
		struct sheet *s = next_sheet(b->desk);

		s->busy = true;
		work_on(b, s);
		s->busy = false;
		if (s->retire && list_empty(&s->streams))
			retire(b->desk, s);
	}
	return NULL;
}
