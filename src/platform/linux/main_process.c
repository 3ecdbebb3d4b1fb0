/* A worker's word for which process is its main one, held by a pidfd. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/handle.h"
#include "platform/linux/proc.h"
#include "platform/process.h"

/* /proc/self/fdinfo of a pidfd has a line "Pid:"; -1 when it ended, 0 for
 * anything else. */
static pid_t pid_of_handle(int fd)
{
	char path[PROC_PATH_SIZE], *text, *line;
	long pid = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	text = fd_read_file(path, 4096);
	line = text ? strstr(text, "\nPid:") : NULL;
	if (line)
		pid = strtol(line + 5, NULL, 10);
	free(text);
	return (pid_t)pid;
}

bool platform_has_ended(const struct process *p)
{
	struct pollfd end = { .fd = p->handle, .events = POLLIN };

	return p->handle < 0 || poll(&end, 1, 0) != 0;
}

static bool belongs(pid_t pid, const struct process *worker)
{
	struct proc_family family;

	if (getpgid(pid) == worker->pid)
		return true;
	proc_family(worker->pid, &family);
	for (size_t i = 0; i < family.count; i++)
		if (family.pids[i] == pid)
			return true;
	return false;
}

/* The inode of a pidfd tells processes apart since Linux 6.9; before that all
 * pidfds have one, and nobody could have sent it. */
static bool has_id(int handle, uint64_t id)
{
	struct stat st;

	return !id || (fstat(handle, &st) == 0 && (uint64_t)st.st_ino == id);
}

int platform_find_main(const struct process *worker, const struct main_claim *claim,
		       struct process *ret, struct err *err)
{
	struct process p = { .pid = claim->pid, .handle = -1 };

	if (claim->fd >= 0) {
		p.pid = pid_of_handle(claim->fd);
		if (p.pid <= 0 || (claim->pid && claim->pid != p.pid))
			return err_set(err, ESRCH, "not a descriptor of a living process");
	}
	p.handle = platform_handle_open(p.pid);
	/* The number still means the same after we have got hold of it: what was
	 * looked at is what is held. */
	if (p.handle < 0)
		(void)err_sys(err, errno, "process %ld", (long)p.pid);
	else if (!has_id(p.handle, claim->id))
		(void)err_set(err, ESRCH, "process %ld is another one by now", (long)p.pid);
	else if (!belongs(p.pid, worker))
		(void)err_set(err, EPERM, "process %ld is none of its own", (long)p.pid);
	else if (platform_has_ended(&p) || (claim->fd >= 0 && pid_of_handle(claim->fd) != p.pid))
		(void)err_set(err, ESRCH, "process %ld has ended", (long)p.pid);
	else {
		*ret = p;
		return 0;
	}
	fd_close(&p.handle);
	return -1;
}
