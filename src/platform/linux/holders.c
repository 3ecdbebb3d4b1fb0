#include "platform/platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/linux/proc.h"

#define FAMILY_MS     100	/* for a look at a worker and all below it */
#define EPOLL_LINES   65536
#define LISTENER_MOST 64	/* descriptors of one process that may be accepted from */

static void name_program(pid_t pid, char ret[64])
{
	char path[PROC_PATH_SIZE], target[4096];
	char *deleted, *slash;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if ((deleted = strstr(target, " (deleted)")))
		*deleted = '\0';
	slash = strrchr(target, '/');
	(void)snprintf(ret, 64, "%.63s", slash ? slash + 1 : target);
}

struct unnamed {
	struct holder *holders;
	size_t count, left;
};

static int see_holder(pid_t pid, int fd, const char *link, void *ctx)
{
	unsigned long inode = proc_socket_inode(link);
	struct unnamed *u = ctx;

	for (size_t i = 0; inode && i < u->count; i++) {
		if (u->holders[i].inode != inode || u->holders[i].pid)
			continue;
		u->holders[i].pid = pid;
		u->holders[i].fd = fd;
		name_program(pid, u->holders[i].program);
		u->left--;
	}
	return u->left == 0;
}

static void are_late(struct unnamed *u)
{
	for (size_t i = 0; i < u->count; i++)
		u->holders[i].late = u->holders[i].inode && !u->holders[i].pid;
}

static size_t unnamed_of(const struct holder *holders, size_t count)
{
	size_t unnamed = 0;

	for (size_t i = 0; i < count; i++)
		unnamed += holders[i].inode && !holders[i].pid;
	return unnamed;
}

void platform_name_holders(struct holder *holders, size_t count, int ms)
{
	struct unnamed u = { holders, count, unnamed_of(holders, count) };
	struct proc_budget budget = proc_budget_of(ms);
	struct proc_list e;
	long pid;

	if (!u.left || proc_open(&e, "/proc"))
		return;
	(void)proc_each_fd(getpid(), see_holder, &u);
	while (u.left && (pid = proc_next(&e)) > 0) {
		if (proc_budget_spent(&budget)) {
			are_late(&u);
			break;
		}
		(void)proc_each_fd((pid_t)pid, see_holder, &u);
	}
	proc_close(&e);
}

/* What is looked for in one process after the other. */
struct wanted {
	const unsigned long *inodes;
	size_t count;
	int fds[LISTENER_MOST];		/* in the process being looked at */
	size_t fd_count;
	struct proc_budget budget;	/* of a look into one family */
};

static bool is_wanted(const struct wanted *w, unsigned long inode)
{
	for (size_t i = 0; i < w->count; i++)
		if (inode && w->inodes[i] == inode)
			return true;
	return false;
}

/* A worker may have any number of descriptors, threads and children. */
static bool is_late(const struct wanted *w)
{
	if (!proc_budget_spent(&w->budget))
		return false;
	errno = ETIME;
	return true;
}

/* A walk that tells of each copy. */
struct copies {
	struct wanted wanted;
	struct proc_budget budget;
	socket_copy_fn *see;
	void *ctx;
	struct socket_copy last;	/* whose program is known */
};

static int see_copy(pid_t pid, int fd, const char *link, void *ctx)
{
	unsigned long inode = proc_socket_inode(link);
	struct copies *c = ctx;

	if (!is_wanted(&c->wanted, inode))
		return proc_budget_spent(&c->budget);
	if (c->last.pid != pid)
		name_program(pid, c->last.program);
	c->last.pid = pid;
	c->last.fd = fd;
	c->last.inode = inode;
	return c->see(&c->last, c->ctx);
}

int platform_socket_copies(const unsigned long *inodes, size_t count, int ms,
			   socket_copy_fn *see, void *ctx, struct err *err)
{
	struct copies c = { .wanted = { .inodes = inodes, .count = count },
			    .budget = proc_budget_of(ms), .see = see, .ctx = ctx };
	struct proc_list e;
	bool all = true;
	long pid;
	int rc = 0;

	if (proc_open(&e, "/proc"))
		return err_sys(err, errno, "cannot look at /proc");
	while (rc != 1 && (pid = proc_next(&e)) > 0) {
		rc = proc_budget_spent(&c.budget) ? 1 : proc_each_fd((pid_t)pid, see_copy, &c);
		all &= rc == 0;
	}
	proc_close(&e);
	return all;
}

/* "4711 (name) S 4710 …": the name may hold anything, blanks and ")" too. */
pid_t platform_parent(pid_t pid)
{
	char path[PROC_PATH_SIZE], *text, *name_end;
	long parent = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	text = fd_read_file(path, 4096);
	name_end = text ? strrchr(text, ')') : NULL;
	if (name_end && sscanf(name_end, ") %*c %ld", &parent) != 1)
		parent = 0;
	free(text);
	return (pid_t)parent;
}

/* Yes from one is yes; where nobody says yes, one that cannot be seen may.  Asked of
 * ourselves it is about what we may see, and below us is everybody. */
static int ask_family(pid_t pid, int (*look)(pid_t pid, struct wanted *w), struct wanted *w,
		      struct err *err)
{
	struct proc_family f;
	int rc = 0, why = 0;

	proc_family(pid, &f);
	if (pid == getpid())
		f.count = 1;
	w->budget = proc_budget_of(FAMILY_MS);
	for (size_t i = 0; i < f.count && rc <= 0 && !is_late(w); i++) {
		int one = look(f.pids[i], w);

		if (one < 0)
			why = errno;
		rc = one ? one : rc;
	}
	if (rc < 0)
		return err_sys(err, why, "cannot look into process %ld", (long)pid);
	return rc;
}

static int see_wanted(pid_t pid, int fd, const char *link, void *ctx)
{
	(void)pid, (void)fd;
	return is_late(ctx) ? -1 : is_wanted(ctx, proc_socket_inode(link));
}

static int holds(pid_t pid, struct wanted *w)
{
	return proc_each_fd(pid, see_wanted, w);
}

int platform_holds_socket(pid_t pid, unsigned long inode, struct err *err)
{
	struct wanted w = { .inodes = &inode, .count = 1 };

	return ask_family(pid, holds, &w, err);
}

/* A line of fdinfo for each descriptor in the set (Linux 3.8; ino: 4.13). */
static bool epoll_watches(pid_t pid, int fd, const struct wanted *w)
{
	char path[PROC_PATH_SIZE], line[256];
	unsigned long inode;
	unsigned events;
	bool found = false;
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%ld/fdinfo/%d", (long)pid, fd);
	if (!(in = fopen(path, "re")))
		return false;
	for (int n = 0; !found && n < EPOLL_LINES && fgets(line, sizeof(line), in); n++)
		found = sscanf(line, "tfd: %*d events: %x data: %*x pos:%*d ino:%lx", &events,
			       &inode) == 2 && (events & 1 /* EPOLLIN */) && is_wanted(w, inode);
	(void)fclose(in);
	return found;
}

static int see_waiting(pid_t pid, int fd, const char *link, void *ctx)
{
	struct wanted *w = ctx;

	if (is_late(w))
		return -1;
	if (strcmp(link, "anon_inode:[eventpoll]") == 0)
		return epoll_watches(pid, fd, w);
	if (w->fd_count < LISTENER_MOST && is_wanted(w, proc_socket_inode(link)))
		w->fds[w->fd_count++] = fd;
	return 0;
}

/* A call that waits for a client: accept(2), and recv(2) of datagrams. */
static bool is_waiting_call(long number)
{
	static const long calls[] = {
#ifdef SYS_accept
		SYS_accept,
#endif
#ifdef SYS_recvmmsg
		SYS_recvmmsg,
#endif
		SYS_accept4, SYS_recvfrom, SYS_recvmsg, SYS_read,
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i] == number)
			return true;
	return false;
}

/* "43 0x3 …": the number and the arguments of the call a thread sleeps in. */
static int sleeps(pid_t pid, long thread, const struct wanted *w)
{
	char path[PROC_PATH_SIZE], *text;
	unsigned long fd;
	long number;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/syscall", (long)pid, thread);
	if (!(text = fd_read_file(path, 4096)))
		return errno == ESRCH ? 0 : -1;
	if (sscanf(text, "%ld 0x%lx", &number, &fd) == 2 && is_waiting_call(number))
		for (size_t i = 0; i < w->fd_count; i++)
			rc |= (unsigned long)w->fds[i] == fd;
	free(text);
	return rc;
}

static int any_thread_waits(pid_t pid, const struct wanted *w)
{
	char path[PROC_PATH_SIZE];
	struct proc_list e;
	long thread;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	if (proc_open(&e, path))
		return proc_gone(pid, errno) ? 0 : -1;
	while (rc == 0 && (thread = proc_next(&e)) > 0)
		rc = is_late(w) ? -1 : sleeps(pid, thread, w);
	proc_close(&e);
	return rc;
}

static int waits(pid_t pid, struct wanted *w)
{
	int rc;

	w->fd_count = 0;
	rc = proc_each_fd(pid, see_waiting, w);
	/* Without a descriptor to look for, the question is whether we could see. */
	if (rc == 0 && (w->fd_count || !w->count))
		rc = any_thread_waits(pid, w);
	return rc;
}

int platform_waits_on(pid_t pid, const unsigned long *inodes, size_t count, struct err *err)
{
	struct wanted w = { .inodes = inodes, .count = count };

	return ask_family(pid, waits, &w, err);
}
