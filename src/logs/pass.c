#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "logs/load.h"

/* A last line of half of it leaves a page of last words before its end. */
enum { END = 8192 };

static bool may_pass(const struct stream *s)
{
	const struct log_file *f = &s->sheet->file;
	const struct log_target *t = &f->target;

	return t->to == LOG_TO_FILE && !t->stamps && !t->prefix && !s->ration && !s->ended &&
	       !s->sheet->failing && !f->no_pour && !log_file_lacks(f);
}

/* Opened anew: splice(2) refuses a file that is appended to. */
static bool open_pour(struct log_file *f)
{
	char path[40];

	if (f->pour >= 0)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	f->pour = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	f->no_pour = f->pour < 0;
	return f->pour >= 0;
}

/* Up to the end of the last line; 0: that is not in sight. */
static size_t whole(const char *bytes, size_t count)
{
	const char *end = count > END ? memrchr(bytes + count - END / 2, '\n', END / 2) : NULL;

	return end ? (size_t)(end - bytes) + 1 : 0;
}

/* All of it, or nothing: where that ends in the midst of a line nobody has seen. */
static bool pour(struct bench *b, struct log_file *f, size_t count, size_t *ret_gone)
{
	long n = platform_look_pour(&b->copy, f->pour, count);

	*ret_gone = n > 0 ? (size_t)n : 0;
	f->no_pour = n < 0 && (errno == EINVAL || errno == ENOTSUP);
	f->size += (int64_t)*ret_gone;
	if (*ret_gone == count)
		return true;
	log_file_take_back(f, *ret_gone);
	return false;
}

bool load_pass(struct bench *b, struct stream *s)
{
	struct log_file *f = &s->sheet->file;
	size_t count, used, gone = 0;
	bool done;

	if (!may_pass(s) || !log_file_takes(f, CHUNK) || !open_pour(f))
		return false;
	count = load_look(b, s, END);
	used = whole(b->bytes, count);
	done = used && pour(b, f, used, &gone);
	if (count > gone)
		(void)platform_look_pour(&b->copy, -1, count - gone);
	if (!done)
		return false;
	load_went_well(b->desk, s->sheet, 0);
	load_take_out(b, s, b->bytes, used);
	return true;
}
