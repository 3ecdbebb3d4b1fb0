/* A call whose report was taken by one who died before he answered. */
#include <linux/net.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "platform/handle.h"
#include "platform/intercept.h"
#include "platform/linux/call_32.h"
#include "platform/linux/proc.h"

static bool is_reported(long call, long first)
{
	if (call == I386_SOCKETCALL)
		return first == SYS_BIND || first == SYS_LISTEN;
	return call == SCMP_SYS(bind) || call == SCMP_SYS(listen) || call == I386_BIND ||
	       call == I386_LISTEN;
}

/* "49 0x3 0x7ffe... ...": the call that the thread is in; "running" */
static bool waits_in_call(pid_t process, long thread)
{
	char path[PROC_PATH_SIZE], *text, *end = NULL;
	long call = -1;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/syscall", (long)process, thread);
	text = fd_read_file(path, 256);
	if (text && *text >= '0' && *text <= '9')
		call = strtol(text, &end, 10);
	call = call >= 0 && is_reported(call, strtol(end, NULL, 16));
	free(text);
	return call > 0;
}

static bool any_waits(pid_t process)
{
	char path[PROC_PATH_SIZE];
	struct proc_list threads;
	bool any = false;
	long thread;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)process);
	if (proc_open(&threads, path) < 0)
		return false;
	while (!any && (thread = proc_next(&threads)) > 0)
		any = waits_in_call(process, thread);
	proc_close(&threads);
	return any;
}

/* Stopped for a moment, it calls again by itself, and that is reported (measured on
 * 6.18).  A process that is not in such a call is left alone: to be stopped ends
 * some calls with EINTR. */
void platform_trap_again(pid_t worker)
{
	struct proc_family family;

	proc_family(worker, &family);
	for (size_t i = 0; i < family.count; i++) {
		int handle = platform_handle_open(family.pids[i]);

		if (handle >= 0 && any_waits(family.pids[i])) {
			(void)platform_handle_signal(handle, SIGSTOP);
			(void)platform_handle_signal(handle, SIGCONT);
		}
		fd_close(&handle);
	}
}
