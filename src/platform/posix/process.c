/* Signals and ends of our own children. */
#include "platform/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "platform/handle.h"

int platform_signal(const struct process *p, int number)
{
	if (p->pid <= 0) {
		errno = ESRCH;
		return -1;
	}
	/* Without a handle: it is our child and not reaped, so the pid is its. */
	return p->handle >= 0 ? platform_handle_signal(p->handle, number) : kill(p->pid, number);
}

int platform_signal_group(const struct process *p, int number)
{
	if (p->pid <= 0) {
		errno = ESRCH;
		return -1;
	}
	/* The unreaped leader keeps the number of its group from reuse. */
	return kill(-p->pid, number);
}

int platform_peek(const struct process *p, struct process_end *ret)
{
	siginfo_t info = { .si_pid = 0 };

	if (p->pid <= 0 || waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -1;
	if (info.si_pid == 0)
		return 0;
	*ret = (struct process_end){ 0 };
	if (info.si_code == CLD_EXITED)
		ret->code = info.si_status;
	else
		ret->signal = info.si_status;
	ret->core = info.si_code == CLD_DUMPED;
	return 1;
}

pid_t platform_ended_child(void)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ? 0 : info.si_pid;
}

void platform_reap(struct process *p)
{
	siginfo_t info;

	if (p->pid > 0)
		(void)waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG);
	fd_close(&p->handle);
	*p = PROCESS_NONE;
}

void platform_step_out(void)
{
	if (fork() > 0)
		_exit(0);
}
