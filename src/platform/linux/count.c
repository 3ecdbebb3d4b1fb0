#include "platform/count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/count_seen.h"
#include "platform/linux/proc.h"

/* A walk through the descriptors of one worker. */
struct walk {
	const struct count_seen *seen;
	struct count_worker *worker;
	unsigned mark;			/* of the worker: what it has twice counts once */
	const struct proc_budget *budget;
	size_t descriptors;
};

static int see(pid_t pid, int fd, const char *link, void *ctx)
{
	struct walk *w = ctx;
	unsigned long inode = proc_socket_inode(link);
	struct seen_socket *s = inode ? count_seen_find(w->seen, inode) : NULL;

	(void)pid, (void)fd;
	w->descriptors++;
	if (s && s->listens) {
		w->worker->listens = true;
	} else if (s && s->mark != w->mark) {
		s->mark = w->mark;
		w->worker->connections++;
		if (w->worker->by_socket)
			w->worker->by_socket[s->socket]++;
	}
	return proc_budget_spent(w->budget);
}

/* One without any descriptor is no answer: it ends, or it is hidden from us. */
static bool walk_family(struct walk *w, pid_t pid)
{
	struct proc_family f;

	proc_family(pid, &f);
	if (f.count == PROC_FAMILY_MOST)
		return false;
	for (size_t i = 0; i < f.count; i++)
		if (proc_each_fd(f.pids[i], see, w) || !w->descriptors)
			return false;
	return true;
}

static void walk_worker(struct walk *w, size_t sockets)
{
	struct count_worker *worker = w->worker;
	bool all = true;

	worker->connections = 0;
	worker->listens = false;
	if (worker->by_socket)
		memset(worker->by_socket, 0, sockets * sizeof(*worker->by_socket));
	for (size_t i = 0; i < COUNT_PIDS; i++) {
		w->descriptors = 0;
		all = all && (!worker->pids[i] || walk_family(w, worker->pids[i]));
	}
	if (all)
		return;
	worker->connections = -1;
	worker->listens = true;
}

/* Without it (CONFIG_PROC_CHILDREN) a worker's children are not known to be its. */
static bool sees_children(void)
{
	return access("/proc/thread-self/children", R_OK) == 0;
}

int platform_count_connections(const struct count_socket *sockets, size_t socket_count,
			       struct count_worker *workers, size_t worker_count, int ms,
			       struct err *err)
{
	struct count_seen seen = { .sockets = sockets, .socket_count = socket_count };
	struct proc_budget budget;
	int rc;

	if (!sees_children())
		return err_set(err, ENOTSUP, "/proc does not tell a process's children");
	rc = count_seen_ask(&seen, err);
	budget = proc_budget_of(ms);
	for (size_t i = 0; rc == 0 && i < worker_count; i++) {
		struct walk w = { .seen = &seen, .worker = &workers[i], .mark = (unsigned)i + 1,
				  .budget = &budget };

		walk_worker(&w, socket_count);
	}
	count_seen_fini(&seen);
	return rc;
}
