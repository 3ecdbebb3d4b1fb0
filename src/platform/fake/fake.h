/* A system that does what the script says: processes that are entries of a
 * table, binds that fail on demand.  Descriptors are real, so that a lost one
 * is seen.  A signal to a process that was reaped ends the test. */
#ifndef HOLDPORT_PLATFORM_FAKE_FAKE_H
#define HOLDPORT_PLATFORM_FAKE_FAKE_H

#include <stdbool.h>

#include "platform/process.h"

enum fake_life { FAKE_FREE, FAKE_ALIVE, FAKE_ZOMBIE };

struct fake_process {
	enum fake_life life;
	pid_t pid;
	int report;		/* the descriptor that was handed out, -1 once told */
	int exec_errno;		/* what the verdict will be; -1: none yet */
	struct process_end end;
	unsigned long signals;	/* a bit each that reached it */
	int connections;	/* as counted; all of them … */
	size_t came_by;		/* … of this socket among those that are asked about */
	int64_t memory;		/* bytes */
	bool let_go;		/* of its listeners */
};

enum { FAKE_PROCESSES = 512 };

struct fake {
	struct fake_process processes[FAKE_PROCESSES];
	pid_t last_pid;
	int bind_errno;		/* 0: binds succeed */
	bool waiting;		/* somebody waits in each queue */
	bool cannot_steer;	/* a socket that was deafened stays deaf */
	int spawn_errno;	/* 0: forks succeed */
	bool cannot_count;
	unsigned counts;	/* how often connections were counted */
	unsigned long strangers;	/* signals that met nobody of ours; must stay 0 */
};

extern struct fake fake;

void fake_reset(void);
struct fake_process *fake_process(pid_t pid);	/* NULL: none that is not reaped */
void fake_exit(struct fake_process *p, struct process_end end);

#endif
