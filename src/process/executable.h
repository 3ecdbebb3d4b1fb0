/* The file that a generation was started from, held open: it starts again from
 * this very file when another one stands at its path by then.
 *
 * A script cannot be held: the kernel gives its interpreter the path, and what
 * is there now is what runs.  Neither is a file that is written over in place,
 * nor what a program loads itself.
 *
 * A thousand programs of one interpreter hold it once. */
#ifndef HOLDPORT_PROCESS_EXECUTABLE_H
#define HOLDPORT_PROCESS_EXECUTABLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"

struct executable_file {
	struct list node;
	unsigned references;
	char *word;	/* the command's first word */
	char *path;	/* where that was found */
	int fd;		/* -1: not to be held */
	unsigned kept;	/* the owner's: its number in custody; 0: none */
	dev_t device;
	ino_t inode;
};

struct executable {
	struct executable_file *file;	/* shared; NULL: nothing is held */
};

#define EXECUTABLE_NONE ((struct executable){ 0 })

/* Holds what stands at path now, unless something is held already. */
void executable_hold(struct executable *e, const char *word, const char *path);
/* *ret holds the same file; what it held before must have been let go. */
void executable_copy(const struct executable *e, struct executable *ret);
void executable_let_go(struct executable *e);

/* One that an earlier manager held, and found by this word at this path: *fd, which is
 * taken; or, with *fd -1, what has this number already. */
void executable_revive(struct executable *e, const char *word, const char *path, unsigned kept,
		       int *fd);
/* Told before a file that has a number is closed; NULL: nobody is. */
void executable_on_close(void (*closing)(unsigned kept, void *ctx), void *ctx);

/* Is this the word that e was found by, and its file to be had only from e? */
bool executable_only_here(const struct executable *e, const char *word);

#endif
