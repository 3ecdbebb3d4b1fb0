#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/handle.h"
#include "platform/linux/proc.h"
#include "platform/platform.h"
#include "platform/process.h"

enum { ENVIRONMENT_MOST = 1 << 17, DEPTH_MOST = 32 };

/* Of the process that is looked at. */
static char environment[ENVIRONMENT_MOST];

/* As it was at exec(2), items ended by NUL; cut if it is long. */
static ssize_t read_environment(pid_t pid, size_t size)
{
	char path[PROC_PATH_SIZE];
	size_t length = 0;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (length < size && (n = read(fd, environment + length, size - length)) > 0)
		length += (size_t)n;
	fd_close(&fd);
	return (ssize_t)length;
}

static bool has_item(pid_t pid, const char *item)
{
	ssize_t length = read_environment(pid, sizeof(environment));
	const char *at = environment;

	while (length > 0) {
		size_t n = strnlen(at, (size_t)length);

		if (n == strlen(item) && memcmp(at, item, n) == 0)
			return true;
		n = n < (size_t)length ? n + 1 : n;
		at += n;
		length -= (ssize_t)n;
	}
	return false;
}

static bool executable_of(pid_t pid, struct stat *ret)
{
	char path[PROC_PATH_SIZE];

	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	return stat(path, ret) == 0;
}

int platform_below_started_with(pid_t pid, const char *item, struct err *err)
{
	struct proc_family f;
	struct stat own, other;

	if (!executable_of(pid, &own))
		return err_sys(err, errno, "cannot look into process %ld", (long)pid);
	proc_family(pid, &f);
	for (size_t i = 0; i < f.count; i++)
		if (f.pids[i] != pid && executable_of(f.pids[i], &other) &&
		    (other.st_dev != own.st_dev || other.st_ino != own.st_ino) &&
		    has_item(f.pids[i], item))
			return 1;
	return 0;
}

struct victims {
	environment_fn *is_one;		/* NULL: all of them */
	void *ctx;
	unsigned depth;
};

static bool is_victim(pid_t pid, const struct victims *v)
{
	ssize_t length;

	if (!v->is_one)
		return true;
	length = read_environment(pid, sizeof(environment) - 1);
	if (length <= 0)
		return false;		/* of the system, or about to end */
	environment[length] = '\0';
	return v->is_one(environment, (size_t)length, v->ctx);
}

static int kill_children(pid_t parent, const struct proc_family *f, const struct victims *v);

/* Who is deeper than that comes to the keeper, and is found there. */
static int kill_below(pid_t parent, unsigned depth)
{
	struct proc_family f = { .count = 0 };

	if (depth > DEPTH_MOST || proc_children(parent, &f) < 0)
		return 0;
	return kill_children(parent, &f, &(struct victims){ .depth = depth });
}

/* Held first, and looked at then: what is signalled is what was seen.  One that is being
 * killed forks no more: either all its children are seen below it, or it has ended and they
 * have come to its parent's. */
static int kill_tree(pid_t pid, pid_t parent, const struct victims *v)
{
	struct process p = { .pid = pid, .handle = platform_handle_open(pid) };
	int killed = 0;

	if (platform_parent(pid) == parent && (p.handle < 0 || !platform_has_ended(&p)) &&
	    is_victim(pid, v) && platform_signal(&p, SIGKILL) == 0)
		killed = 1 + kill_below(pid, v->depth + 1);
	fd_close(&p.handle);
	return killed;
}

static int kill_children(pid_t parent, const struct proc_family *f, const struct victims *v)
{
	int killed = 0;

	for (size_t i = 0; i < f->count; i++)
		killed += kill_tree(f->pids[i], parent, v);
	return killed;
}

int platform_kill_children(pid_t parent, environment_fn *is_one, void *ctx, struct err *err)
{
	struct proc_family f = { .count = 0 };

	if (proc_children(parent, &f) < 0)
		return err_sys(err, errno, "cannot look for what is below process %ld",
			       (long)parent);
	return kill_children(parent, &f, &(struct victims){ .is_one = is_one, .ctx = ctx });
}
