/* Where a manager writes down what it knows, line by line: to a file without a
 * name, which the keeper holds too and a successor reads, and to a file in the
 * runtime directory, for the day on which both have ended.
 *
 * A change is appended; now and then a checkpoint, the whole, begins both anew, so
 * that what has to be read stays in proportion to what there is.  The file with a
 * name may fail (a full disk): that is said once, and the next checkpoint tries
 * again. */
#ifndef HOLDPORT_KEEPER_JOURNAL_H
#define HOLDPORT_KEEPER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct journal {
	int fd;			/* -1: not begun */
	int file;		/* -1: none */
	char *path;		/* NULL: no second file */
	size_t length, checkpoint;
	bool failed;		/* the file's failure was said */
};

void journal_init(struct journal *j, char *path);	/* takes path; may be NULL */
/* j->fd is another one afterwards; -1: the old one is written on. */
int journal_checkpoint(struct journal *j, const char *text, size_t length, struct err *err);
/* Takes *fd, which an earlier manager began, is read to its end and whole: it is written
 * on.  -1: that cannot be, for the file with a name does not say the same. */
int journal_go_on(struct journal *j, int *fd, size_t length, size_t checkpoint);
void journal_append(struct journal *j, const char *text, size_t length);
bool journal_is_long(const struct journal *j);
/* remove: also the file in the runtime directory. */
void journal_close(struct journal *j, bool remove);
/* All of it; the caller frees it.  NULL and errno. */
char *journal_read(int fd, size_t *ret_length);

#endif
