/* A file that workers' output is written to, or one who keeps the logs of all (outlet.h).
 *
 * It is opened when there is something to write, and turned over between lines.  What
 * cannot be written is the caller's to keep or to drop; what was dropped is counted
 * here, and said in the file itself as soon as that can be written again.  Everything
 * here may block as long as the disk does. */
#ifndef HOLDPORT_LOGS_LOG_FILE_H
#define HOLDPORT_LOGS_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "logs/order.h"
#include "logs/outlet.h"

enum log_cause { LOG_UNWRITTEN, LOG_TOO_FAST, LOG_CAUSES };

/* What it lacks, and does not say yet. */
struct log_missing {
	int64_t lines, bytes;
	char *why;
};

struct log_file {
	struct log_target target;
	int fd;				/* -1: it is opened with the next line */
	int pour;			/* the same, not to be appended to; -1: not yet */
	bool no_pour;			/* it was tried: its file system cannot */
	struct outlet outlet;		/* where it is no file */
	long pid;			/* of who says what is written to that */
	char origin[LOG_ORIGIN_SIZE];
	int64_t size;			/* since it was last turned over */
	int64_t began;			/* of the clock that nobody sets, ms */
	bool turned;			/* since it was last asked */
	struct log_missing missing[LOG_CAUSES];
	int64_t said;			/* when it was, of those that come too fast, ms */
};

void log_file_init(struct log_file *f);
/* bytes end with a line.  *ret_done of them are in the file, up to the end of a line;
 * 0: all.  With none it only says what it lacks, which else it does once a second of
 * lines that come too fast. */
int log_file_write(struct log_file *f, const char *bytes, size_t count, size_t *ret_done,
		   struct err *err);
/* It is open, and need not be turned over for so much more. */
bool log_file_takes(const struct log_file *f, size_t count);
void log_file_take_back(struct log_file *f, size_t torn);	/* of its end */
void log_file_drop(struct log_file *f, enum log_cause cause, size_t lines, size_t bytes,
		   const char *why);
bool log_file_lacks(const struct log_file *f);	/* and does not say it yet */
void log_file_close(struct log_file *f);
void log_file_fini(struct log_file *f);

/* "2026-11-26T00:10:43.123Z ": what stands before a line, with what is asked for. */
enum { LOG_FRONT_SIZE = LOG_ORIGIN_SIZE + 40 };
void log_front(const struct log_target *t, const char *origin, char ret[LOG_FRONT_SIZE]);

#endif
