#include "logs/desk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { STACK = 256 * 1024 };

int desk_init(struct desk *d, int channel, int wake, struct err *err)
{
	*d = (struct desk){ .channel = channel, .wake = wake };
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->work, NULL);
	list_init(&d->sheets);
	list_init(&d->queue);
	list_init(&d->rations);
	return platform_look_open(&d->glass, err);
}

static struct sheet *sheet_for(struct desk *d, const struct log_target *t)
{
	struct sheet *s;

	list_each(at, &d->sheets, struct sheet, node)
		if (strcmp(at->told.path, t->path) == 0)
			return at;
	s = MEM_NEW(struct sheet);
	log_file_init(&s->file);
	s->told.path = mem_text(t->path);
	s->packing = t->pack;		/* a crash may have left some */
	pack_init(&s->pack);
	list_init(&s->queued);
	list_init(&s->streams);
	list_append(&d->sheets, &s->node);
	return s;
}

/* A program's, for good: a worker that is started again and again gets no new one. */
struct ration_of {
	struct list node;
	struct ration ration;
	char program[LOG_ORIGIN_SIZE];
};

static struct ration *ration_for(struct desk *d, const struct log_target *t, const char *origin)
{
	int length = (int)strcspn(origin, "/");
	struct ration_of *r = NULL;

	if (!t->rate)
		return NULL;
	list_each(at, &d->rations, struct ration_of, node)
		if (strncmp(at->program, origin, (size_t)length) == 0 && !at->program[length])
			r = at;
	if (!r) {
		r = MEM_NEW(struct ration_of);
		(void)snprintf(r->program, sizeof(r->program), "%.*s", length, origin);
		list_append(&d->rations, &r->node);
	}
	ration_set(&r->ration, t->rate, t->burst, clock_monotonic_ms());
	return &r->ration;
}

struct stream *desk_add(struct desk *d, const struct log_target *t, const char *origin, int fd,
			struct tail *tail)
{
	struct stream *s = MEM_NEW(struct stream);
	char *path;

	s->fd = fd;
	s->tail = tail;
	(void)snprintf(s->origin, sizeof(s->origin), "%s", origin);
	s->sheet = sheet_for(d, t);
	s->ration = ration_for(d, t, origin);
	path = s->sheet->told.path;
	s->sheet->told = *t;
	s->sheet->told.path = path;
	s->pid = (long)t->pid;
	s->sheet->retire = false;
	s->ready = true;
	list_append(&s->sheet->streams, &s->node);
	desk_queue(d, s->sheet);
	return s;
}

bool desk_is_full(int pipe, long there)
{
	return there > ((long)platform_pipe_room(pipe) - sysconf(_SC_PAGESIZE)) * 3 / 8;
}

void desk_more(struct desk *d)
{
	pthread_attr_t attributes;
	pthread_t thread;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, STACK);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, desk_thread, d) == 0)
		d->threads++;
	(void)pthread_attr_destroy(&attributes);
}

void desk_queue(struct desk *d, struct sheet *s)
{
	if (s->busy || !list_empty(&s->queued))
		return;
	list_append(&d->queue, &s->queued);
	s->since = clock_monotonic_ms();
	if (!d->threads)
		desk_more(d);
	(void)pthread_cond_signal(&d->work);
}

void desk_say(const struct desk *d, int level, const char *format, ...)
{
	struct answer a = { .word = ANSWER_SAY, .number = (uint32_t)level };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(a.text, sizeof(a.text), format, args);
	va_end(args);
	(void)answer_send(d->channel, &a);
}
