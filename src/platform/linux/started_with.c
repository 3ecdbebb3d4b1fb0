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

/* The environment as it was at exec(2), items ended by NUL; cut if it is long. */
static ssize_t read_environment(pid_t pid, char *ret, size_t size)
{
	char path[PROC_PATH_SIZE];
	size_t length = 0;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (length < size && (n = read(fd, ret + length, size - length)) > 0)
		length += (size_t)n;
	fd_close(&fd);
	return (ssize_t)length;
}

static bool fits(const char *item, const char *at, size_t length)
{
	size_t n = strlen(item);

	if (n && item[n - 1] == '*')
		return length >= n - 1 && memcmp(at, item, n - 1) == 0;
	return n == length && memcmp(at, item, n) == 0;
}

static bool has_item(pid_t pid, const char *item)
{
	static char environment[ENVIRONMENT_MOST];
	ssize_t length = read_environment(pid, environment, sizeof(environment));
	const char *at = environment;

	while (length > 0) {
		size_t n = strnlen(at, (size_t)length);

		if (fits(item, at, n))
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

static bool has_all(pid_t pid, const char *const *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!has_item(pid, items[i]))
			return false;
	return true;
}

static int kill_below(pid_t parent, unsigned depth);

/* Held first, and looked at then: what is signalled is what was seen.  One that is being
 * killed forks no more: either all its children are seen below it, or it has ended and they
 * have come to its parent's. */
static int kill_tree(pid_t pid, pid_t parent, const char *const *items, size_t count,
		     unsigned depth)
{
	struct process p = { .pid = pid, .handle = platform_handle_open(pid) };
	int killed = 0;

	if (platform_parent(pid) == parent && (p.handle < 0 || !platform_has_ended(&p)) &&
	    has_all(pid, items, count) && platform_signal(&p, SIGKILL) == 0)
		killed = 1 + kill_below(pid, depth + 1);
	fd_close(&p.handle);
	return killed;
}

static int kill_children(const struct proc_family *f, pid_t parent, const char *const *items,
			 size_t count, unsigned depth)
{
	int killed = 0;

	for (size_t i = 0; i < f->count; i++)
		killed += kill_tree(f->pids[i], parent, items, count, depth);
	return killed;
}

/* Who is deeper than that comes to the keeper, and is found there. */
static int kill_below(pid_t parent, unsigned depth)
{
	struct proc_family f = { .count = 0 };

	if (depth > DEPTH_MOST || proc_children(parent, &f) < 0)
		return 0;
	return kill_children(&f, parent, NULL, 0, depth);
}

int platform_kill_children_with(pid_t parent, const char *const *items, size_t count,
				struct err *err)
{
	struct proc_family f = { .count = 0 };

	if (proc_children(parent, &f) < 0)
		return err_sys(err, errno, "cannot look for what is below process %ld",
			       (long)parent);
	return kill_children(&f, parent, items, count, 0);
}
