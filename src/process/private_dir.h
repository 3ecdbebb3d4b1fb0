/* runtime_directory = yes: a directory of a program's own, for its user alone, which is there
 * while a worker of it is.
 *
 * It stands in a directory of ours, so whoever works in it cannot put another one in its
 * place; what he leaves in it is removed without following a link. */
#ifndef HOLDPORT_PROCESS_PRIVATE_DIR_H
#define HOLDPORT_PROCESS_PRIVATE_DIR_H

#include "base/err.h"
#include "config/settings.h"

/* NULL: it has none.  The caller owns the path. */
char *private_dir_path(const char *base, const struct program_settings *s);
/* It is there, and belongs to the program's user as it is now. */
int private_dir_make(const char *base, const char *path, const struct program_settings *s, struct err *err);
/* With all that is in it; harmless when there is none. */
void private_dir_remove(const char *base, const char *program);

#endif
