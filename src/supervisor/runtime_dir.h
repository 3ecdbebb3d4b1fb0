/* The directory in which a supervisor lives: its lock, its control socket, the
 * notify sockets of its workers. */
#ifndef HOLDPORT_SUPERVISOR_RUNTIME_DIR_H
#define HOLDPORT_SUPERVISOR_RUNTIME_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Makes it (and what leads there) and takes its lock for pid, whom
 * the world knows: a descriptor.  -1 with
 * err->code EWOULDBLOCK: another supervisor has it, its pid is in the sentence.
 * A directory that somebody else owns, or others may write, is refused. */
int runtime_dir_take(const char *path, pid_t pid, struct err *err);
/* The world knows another pid by now. */
int runtime_dir_sign(int lock, pid_t pid, struct err *err);
/* The process that the lock names lives. */
bool runtime_dir_is_signed(const char *path);
/* Away with it, if nothing of anybody else's is in it: for one that was made for
 * this run alone. */
void runtime_dir_remove(const char *path);
/* A directory inside, for sockets that workers of any user reach by name. */
int runtime_dir_sub(const char *path, struct err *err);

#endif
