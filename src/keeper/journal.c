#include "keeper/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/process.h"

enum { ALWAYS_ROOM_FOR = 256 << 10, JOURNAL_MOST = 256 << 20 };

void journal_init(struct journal *j, char *path)
{
	*j = (struct journal){ .fd = -1, .file = -1, .path = path };
}

static void file_failed(struct journal *j)
{
	if (!j->failed)
		log_error("%s cannot be written: %s; if keeper and manager both ended now, the "
			  "next start would not find its workers", j->path, strerror(errno));
	j->failed = true;
	fd_close(&j->file);
}

/* Beside it and then in its place: a reader sees the old or the new. */
static void begin_file(struct journal *j, const char *text, size_t length)
{
	char *beside = mem_format("%s.new", j->path);
	int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			0600);

	if (file < 0 || fd_write_all(file, text, length) < 0 || rename(beside, j->path) < 0) {
		file_failed(j);
		(void)unlink(beside);
		fd_close(&file);
	} else {
		fd_close(&j->file);
		j->file = file;
		j->failed = false;
	}
	free(beside);
}

int journal_checkpoint(struct journal *j, const char *text, size_t length, struct err *err)
{
	int fd = platform_anonymous_file("holdport-state");

	if (fd < 0 || fd_write_all(fd, text, length) < 0) {
		(void)err_sys(err, errno, "cannot write a checkpoint");
		fd_close(&fd);
		return -1;
	}
	(void)fcntl(fd, F_SETFL, O_APPEND);
	fd_close(&j->fd);
	j->fd = fd;
	j->length = j->checkpoint = length;
	if (j->path)
		begin_file(j, text, length);
	return 0;
}

/* Both are given the same, in this order; the second is given up when it cannot be
 * written.  So of one length they say the same. */
static int open_again(const char *path, size_t length)
{
	int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (file >= 0 && (fstat(file, &st) < 0 || !S_ISREG(st.st_mode) ||
			  st.st_uid != geteuid() || (st.st_mode & 022) ||
			  (size_t)st.st_size != length))
		fd_close(&file);
	return file;
}

int journal_go_on(struct journal *j, int *fd, size_t length, size_t checkpoint)
{
	int file = open_again(j->path, length);

	if (file < 0)
		return -1;
	j->fd = fd_take(fd);
	j->file = file;
	j->length = length;
	j->checkpoint = checkpoint;
	return 0;
}

void journal_append(struct journal *j, const char *text, size_t length)
{
	if (j->fd < 0)
		return;
	if (fd_write_all(j->fd, text, length) < 0)
		log_error("the state cannot be written down: %s", strerror(errno));
	j->length += length;
	if (j->file >= 0 && fd_write_all(j->file, text, length) < 0)
		file_failed(j);
}

bool journal_is_long(const struct journal *j)
{
	return j->length > 2 * j->checkpoint + ALWAYS_ROOM_FOR;
}

void journal_close(struct journal *j, bool remove)
{
	fd_close(&j->fd);
	fd_close(&j->file);
	if (remove && j->path)
		(void)unlink(j->path);
	free(j->path);
	j->path = NULL;
}

char *journal_read(int fd, size_t *ret_length)
{
	struct stat st;
	size_t done = 0;
	ssize_t n = 1;
	char *text;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size > JOURNAL_MOST) {
		errno = EFBIG;
		return NULL;
	}
	text = mem_new((size_t)st.st_size + 1);
	while (n > 0 && done < (size_t)st.st_size) {
		n = pread(fd, text + done, (size_t)st.st_size - done, (off_t)done);
		done += n > 0 ? (size_t)n : 0;
	}
	*ret_length = done;
	return text;
}
