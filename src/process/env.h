/* A worker's environment: what it inherits, what its settings say, who it is,
 * and the sockets in the dialects that servers speak (docs/handoff.md). */
#ifndef HOLDPORT_PROCESS_ENV_H
#define HOLDPORT_PROCESS_ENV_H

#include "base/text_list.h"
#include "process/launch.h"

/* Fills ret in the order of precedence: later names replace earlier ones.
 * ret_pid_digits is where the child writes its pid (LISTEN_PID, WATCHDOG_PID),
 * each may be NULL. */
int env_build(const struct launch_spec *spec, struct launch_names *names,
	      struct text_list *ret, char *ret_pid_digits[SPAWN_PIDS], struct err *err);
/* Takes item ("NAME=value"); the last one of a name wins.  Returns it. */
char *env_put(struct text_list *env, char *item);
const char *env_get(const struct text_list *env, const char *name);

/* Room for a pid in decimal with its NUL. */
#define ENV_PID_SIZE 16

#endif
