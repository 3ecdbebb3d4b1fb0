/* Descriptors: -1 is "none", and every function here accepts it. */
#ifndef HOLDPORT_BASE_FD_H
#define HOLDPORT_BASE_FD_H

#include <stdbool.h>
#include <stddef.h>

/* Closes *fd if there is one and makes it -1.  errno stays as it was. */
void fd_close(int *fd);
/* One that a stranger made: closing it does not keep us. */
void fd_drop(int *fd);
/* The descriptor moves out of *fd to the caller. */
int fd_take(int *fd);
int fd_non_blocking(int fd, int yes);	/* 0, or -1 and errno */

/* All of it; 0, or -1 and errno. */
int fd_write_all(int fd, const char *bytes, size_t length);

/* Writes without waiting for a reader, as far as it takes: false when not all of
 * it went.  A pipe that is said to be writable takes PIPE_BUF bytes (pipe(7)). */
enum { FD_WRITE_MOST = 4096 };
bool fd_try_write(int fd, const char *bytes, size_t length);

/* A regular file's text; NULL and errno if it cannot be read or is longer than
 * limit (EFBIG).  The caller frees it. */
char *fd_read_file(const char *path, size_t limit);

/* Puts text into path by way of a temporary file beside it, so that a reader
 * sees the old or the new and a full disk leaves the old.  0, or -1 and errno. */
int fd_replace_file(const char *path, const char *text, unsigned mode);

#endif
