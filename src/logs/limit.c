#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "logs/load.h"

static size_t take_ration(struct bench *b, const struct stream *s, size_t lines)
{
	size_t granted;

	(void)pthread_mutex_lock(&b->desk->lock);
	granted = ration_take(s->ration, lines, clock_monotonic_ms());
	(void)pthread_mutex_unlock(&b->desk->lock);
	return granted;
}

void limit_load(struct bench *b, const struct stream *s, struct load *l)
{
	size_t whole, lines, kept;

	if (!s->ration)
		return;
	whole = l->form.rest ? l->count : lines_whole(l->bytes, l->count);
	(void)lines_span(l->bytes, whole, SIZE_MAX, &lines);
	l->granted = take_ration(b, s, lines);
	if (l->granted == lines)
		return;
	l->count = lines_span(l->bytes, whole, l->granted, &kept);
	l->over = whole - l->count;
	l->over_lines = lines - l->granted;
}

/* What was not written after all does not count, and nothing behind it is dropped. */
void limit_settle(struct bench *b, struct stream *s, struct load *l)
{
	struct sheet *sheet = s->sheet;
	const struct log_target *t = &sheet->file.target;
	char why[80];

	if (!s->ration)
		return;
	if (l->used < l->count)
		l->over = 0;
	if (l->lines < l->granted) {
		(void)pthread_mutex_lock(&b->desk->lock);
		ration_give_back(s->ration, l->granted - l->lines);
		(void)pthread_mutex_unlock(&b->desk->lock);
	}
	if (!l->over)
		return;
	(void)snprintf(why, sizeof(why), "more than log_rate = %lld lines a second",
		       (long long)t->rate);
	if (!sheet->limited)
		desk_say(b->desk, LOG_LEVEL_WARNING, "%s: %s; those beyond are dropped", s->origin, why);
	sheet->limited = true;
	log_file_drop(&sheet->file, LOG_TOO_FAST, l->over_lines, l->over, why);
}
