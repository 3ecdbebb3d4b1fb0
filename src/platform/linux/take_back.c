/* pidfd_getfd(2): Linux 5.6, and the right to trace the process. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/handle.h"
#include "platform/linux/proc.h"
#include "platform/process.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define LISTENER_LINK "anon_inode:seccomp notify"
#define YAMA	      "/proc/sys/kernel/yama/ptrace_scope"

struct search {
	struct lost_file *lost;
	size_t count;
	pid_t of;			/* whose handle is open */
	int handle;
	pid_t refused;			/* who did not let us; 0: nobody */
	int why;
};

static uint64_t inode_of(const char *link)
{
	static const char pipe[] = "pipe:[";

	if (strncmp(link, pipe, sizeof(pipe) - 1) == 0)
		return strtoull(link + sizeof(pipe) - 1, NULL, 10);
	return proc_socket_inode(link);
}

static struct lost_file *find(const struct search *s, const char *link)
{
	uint64_t inode = inode_of(link);

	if (!inode && strcmp(link, LISTENER_LINK) != 0)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		if (s->lost[i].fd < 0 && s->lost[i].inode == inode)
			return &s->lost[i];
	return NULL;
}

/* The worker has it open for both and waits where it is full; we read, and do not wait:
 * that takes an open file of our own. */
static void open_for_reading(int *fd)
{
	char path[PROC_PATH_SIZE];
	int own;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	own = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fd_close(fd);
	*fd = own;
}

/* What came is what was looked for: the number may have been used again. */
static int copy(struct search *s, pid_t pid, int fd, uint64_t inode)
{
	struct stat st;
	int own;

	if (s->of != pid) {
		fd_close(&s->handle);
		s->handle = platform_handle_open(pid);
		s->of = pid;
	}
	own = (int)syscall(SYS_pidfd_getfd, s->handle, fd, 0);
	if (own < 0) {
		s->refused = errno == EBADF || errno == ESRCH ? s->refused : pid;
		s->why = errno;
		return -1;
	}
	if (fstat(own, &st) < 0 || (inode && (uint64_t)st.st_ino != inode))
		fd_close(&own);
	else if (S_ISFIFO(st.st_mode))
		open_for_reading(&own);
	return own;
}

static int see(pid_t pid, int fd, const char *link, void *ctx)
{
	struct search *s = ctx;
	struct lost_file *l = find(s, link);

	/* Root without CAP_SYS_PTRACE sees that there is one, and not what. */
	if (!*link && errno == EACCES) {
		s->refused = pid;
		s->why = EACCES;
	}
	if (l)
		l->fd = copy(s, pid, fd, l->inode);
	return 0;
}

static int explain(pid_t pid, int why, struct err *err)
{
	char path[PROC_PATH_SIZE], *scope = fd_read_file(YAMA, 16);
	int level = scope ? atoi(scope) : 0;
	struct stat st;

	free(scope);
	(void)snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	if (why != EPERM && why != EACCES)
		return err_sys(err, why, "process %ld", (long)pid);
	if (stat(path, &st) == 0 && st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(err, why, "process %ld is of user %ld, and we have no "
			       "CAP_SYS_PTRACE", (long)pid, (long)st.st_uid);
	if (level > 0)
		return err_set(err, why, "process %ld: kernel.yama.ptrace_scope is %d, and we have no "
			       "CAP_SYS_PTRACE", (long)pid, level);
	return err_set(err, why, "process %ld has a capability that we have not, or may not be "
		       "traced (prctl(2), PR_SET_DUMPABLE)", (long)pid);
}

int platform_take_back(pid_t pid, struct lost_file *lost, size_t count, struct err *err)
{
	struct search s = { .lost = lost, .count = count, .handle = -1 };
	struct proc_family family;

	proc_family(pid, &family);
	for (size_t i = 0; i < family.count; i++)
		if (proc_each_fd(family.pids[i], see, &s) < 0) {
			s.refused = family.pids[i];
			s.why = errno;
		}
	fd_close(&s.handle);
	return s.refused ? explain(s.refused, s.why, err) : 0;
}
