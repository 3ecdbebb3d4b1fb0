#include "logs/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "logs/rotate.h"
#include "platform/platform.h"

enum { SAY_MS = 1000 };

void log_file_init(struct log_file *f)
{
	*f = (struct log_file){ .fd = -1, .pour = -1, .outlet = { .fd = -1 } };
}

void log_front(const struct log_target *t, const char *origin, char ret[LOG_FRONT_SIZE])
{
	struct timespec now;
	struct tm tm;
	size_t at = 0;

	*ret = '\0';
	if (t->to != LOG_TO_FILE)
		return;
	if (t->stamps) {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		(void)gmtime_r(&now.tv_sec, &tm);
		at = strftime(ret, LOG_FRONT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
		at += (size_t)snprintf(ret + at, LOG_FRONT_SIZE - at, ".%03ldZ ",
				       now.tv_nsec / 1000000);
	}
	(void)snprintf(ret + at, LOG_FRONT_SIZE - at, t->prefix ? "%s: " : "%.0s", origin);
}

/* By the clock that people set: what it says may be any nonsense, but is asked only
 * when a file is opened that was there. */
static int64_t age_of(int fd)
{
	int64_t born = platform_file_born(fd), age = (int64_t)time(NULL) - born;

	return born && age > 0 ? age * 1000 : 0;
}

/* A link could lead anywhere in the name of root; a device or a pipe is no log. */
static int open_file(struct log_file *f, struct err *err)
{
	const char *path = f->target.path;
	struct stat st;

	if (f->fd >= 0)
		return 0;
	f->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW |
			   O_NONBLOCK, 0640);
	if (f->fd < 0 && errno == ELOOP)
		return err_set(err, ELOOP, "%s is a symbolic link", path);
	if (f->fd < 0 && errno != ENXIO)	/* that is a pipe without a reader */
		return err_sys(err, errno, "cannot open %s", path);
	if (f->fd < 0 || fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fd_close(&f->fd);
		return err_set(err, EINVAL, "%s is no regular file", path);
	}
	f->size = st.st_size;
	f->began = clock_monotonic_ms() - (st.st_size ? age_of(f->fd) : 0);
	return 0;
}

void log_file_close(struct log_file *f)
{
	fd_close(&f->fd);
	fd_close(&f->pour);
	outlet_close(&f->outlet);
}

void log_file_fini(struct log_file *f)
{
	log_file_close(f);
	for (int i = 0; i < LOG_CAUSES; i++)
		free(f->missing[i].why);
}

static const char *last_line_end(const char *bytes, size_t count)
{
	return memrchr(bytes, '\n', count);
}

/* Half a line would meet the next one: it is taken back. */
void log_file_take_back(struct log_file *f, size_t torn)
{
	off_t end = lseek(f->fd, 0, SEEK_END);

	if (torn && end >= (off_t)torn && ftruncate(f->fd, end - (off_t)torn) == 0)
		f->size -= (int64_t)torn;
}

/* Whole lines of it, as many as go; how many bytes that was. */
static size_t write_lines(struct log_file *f, const char *bytes, size_t count, struct err *err)
{
	size_t done = 0, whole;
	const char *end;
	ssize_t n = 0;

	while (done < count && (n >= 0 || errno == EINTR)) {
		n = write(f->fd, bytes + done, count - done);
		done += n > 0 ? (size_t)n : 0;
		f->size += n > 0 ? n : 0;
	}
	if (done == count)
		return done;
	(void)err_sys(err, errno, "cannot write to %s", f->target.path);
	end = last_line_end(bytes, done);
	whole = end ? (size_t)(end - bytes) + 1 : 0;
	log_file_take_back(f, done - whole);
	return whole;
}

bool log_file_takes(const struct log_file *f, size_t count)
{
	const struct log_target *t = &f->target;

	return f->fd >= 0 && (!t->max_size || f->size + (int64_t)count <= t->max_size) &&
	       (!t->max_age || clock_monotonic_ms() - f->began < t->max_age);
}

/* What of it still goes into this file: lines up to its size, at least one. */
static size_t portion(const struct log_file *f, const char *bytes, size_t count)
{
	int64_t room = f->target.max_size - f->size;
	const char *end;

	if (f->size && f->target.max_age &&
	    clock_monotonic_ms() - f->began >= f->target.max_age)
		return 0;
	if (!f->target.max_size || room >= (int64_t)count)
		return count;
	end = room > 0 ? last_line_end(bytes, (size_t)room) : NULL;
	if (!end && f->size)
		return 0;
	if (!end)
		end = memchr(bytes, '\n', count);
	return end ? (size_t)(end - bytes) + 1 : count;
}

/* Where it cannot be moved it is written on, until it has grown by as much again. */
static int turn_over(struct log_file *f, struct err *err)
{
	int rc = rotate(f->target.path, f->target.keep, err);

	if (rc == 0)
		log_file_close(f);
	f->size = 0;
	f->began = clock_monotonic_ms();
	f->turned = true;
	return rc;
}

static int write_all(struct log_file *f, const char *bytes, size_t count, size_t *ret_done,
		     struct err *err)
{
	struct err ignored;

	while (*ret_done < count) {
		size_t part, done;

		if (open_file(f, err) < 0)
			return -1;
		part = portion(f, bytes + *ret_done, count - *ret_done);
		if (!part) {
			(void)turn_over(f, &ignored);
			continue;
		}
		done = write_lines(f, bytes + *ret_done, part, err);
		*ret_done += done;
		if (done < part)
			return -1;
	}
	return 0;
}

static struct entry entry_of(const struct log_file *f, int priority)
{
	return (struct entry){ .origin = f->origin, .pid = f->pid, .priority = priority,
			       .facility = f->target.facility, .prefix = f->target.prefix,
			       .when = time(NULL) };
}

static int say(struct log_file *f, const char *text, struct err *err)
{
	char front[LOG_FRONT_SIZE], line[LOG_FRONT_SIZE + LOG_TEXT_SIZE + 128];
	struct entry e = entry_of(f, LOG_WARNING);
	size_t done = 0;
	int length;

	log_front(&f->target, "holdport", front);
	length = snprintf(line, sizeof(line), "%s%s%s\n", front,
			  *front && f->target.prefix ? "" : "holdport: ", text);
	if (f->target.to == LOG_TO_FILE)
		return write_all(f, line, (size_t)length, &done, err);
	return outlet_write(&f->outlet, &e, line, (size_t)length, &done, err);
}

static int say_missing(struct log_file *f, struct log_missing *m, struct err *err)
{
	char text[LOG_TEXT_SIZE + 96];

	(void)snprintf(text, sizeof(text), "%lld lines (%lld bytes) are missing here: %s",
		       (long long)m->lines, (long long)m->bytes, m->why);
	if (say(f, text, err) < 0)
		return -1;
	m->lines = m->bytes = 0;
	return 0;
}

/* What is said of each chunk of too many lines would itself be too much. */
static bool is_too_soon(struct log_file *f)
{
	int64_t now = clock_monotonic_ms();

	if (now - f->said < SAY_MS)
		return true;
	f->said = now;
	return false;
}

/* It is said before what comes after it. */
static int say_dropped(struct log_file *f, bool all, struct err *err)
{
	for (int i = 0; i < LOG_CAUSES; i++) {
		if (!f->missing[i].bytes || (i == LOG_TOO_FAST && !all && is_too_soon(f)))
			continue;
		if (say_missing(f, &f->missing[i], err) < 0)
			return -1;
	}
	return 0;
}

int log_file_write(struct log_file *f, const char *bytes, size_t count, size_t *ret_done,
		   struct err *err)
{
	struct entry e;

	*ret_done = 0;
	f->outlet.to = f->target.to;
	if (say_dropped(f, !count, err) < 0)
		return -1;
	if (f->target.to != LOG_TO_FILE) {
		e = entry_of(f, LOG_INFO);
		return outlet_write(&f->outlet, &e, bytes, count, ret_done, err);
	}
	return write_all(f, bytes, count, ret_done, err);
}

void log_file_drop(struct log_file *f, enum log_cause cause, size_t lines, size_t bytes,
		   const char *why)
{
	struct log_missing *m = &f->missing[cause];

	m->lines += (int64_t)lines;
	m->bytes += (int64_t)bytes;
	free(m->why);
	m->why = mem_text(why);
}

bool log_file_lacks(const struct log_file *f)
{
	for (int i = 0; i < LOG_CAUSES; i++)
		if (f->missing[i].bytes)
			return true;
	return false;
}
