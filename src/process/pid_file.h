/* A file with a pid in it, for tools that want one.
 *
 * A full disk or a missing directory is said once and tried again; nothing else
 * waits for it.  Removed at the end, unless somebody wrote another pid into it. */
#ifndef HOLDPORT_PROCESS_PID_FILE_H
#define HOLDPORT_PROCESS_PID_FILE_H

#include <sys/types.h>

#include "loop/loop.h"

struct pid_file {
	struct pid_written *file;	/* NULL: none, as most have it */
};

/* Takes path, which may be NULL. */
void pid_file_start(struct pid_file *f, struct loop *loop, char *path, pid_t pid);
void pid_file_stop(struct pid_file *f);	/* accepts one that was never started */

#endif
