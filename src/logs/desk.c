#include "logs/desk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	s->packing = t->pack;		/* a crash may have left some */
	pack_init(&s->pack);
	list_init(&s->queued);
	list_init(&s->streams);
	list_append(&d->sheets, &s->node);
	return s;
}

struct stream *desk_add(struct desk *d, const struct log_target *t, const char *origin, int fd,
			struct tail *tail)
{
	struct stream *s = MEM_NEW(struct stream);

	s->fd = fd;
	s->tail = tail;
	(void)snprintf(s->origin, sizeof(s->origin), "%s", origin);
	s->sheet = sheet_for(d, t);
	s->sheet->told = *t;
	s->pid = (long)t->pid;
	s->sheet->retire = false;
	s->ready = true;
	list_append(&s->sheet->streams, &s->node);
	desk_queue(d, s->sheet);
	return s;
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
