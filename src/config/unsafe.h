/* What others may write is theirs to command.
 *
 * As root: anything that root alone may not write.  Otherwise: what anybody may
 * write; a group, or another owner, is somebody's decision (a deploying user). */
#ifndef HOLDPORT_CONFIG_UNSAFE_H
#define HOLDPORT_CONFIG_UNSAFE_H

#include <stdbool.h>
#include <sys/stat.h>

/* NULL, or why this file must not be read, as the end of a sentence that begins
 * with its name. */
const char *file_unsafe(const struct stat *st);
/* The same of the directories that lead to it, after all links; the caller owns
 * the text. */
char *path_unsafe(const char *path);
/* NULL, or why others could replace what is in this directory. */
const char *directory_open(const struct stat *st);

#endif
