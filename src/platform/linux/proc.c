#include "platform/linux/proc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define LINK_SIZE 64

bool proc_gone(pid_t pid, int why)
{
	char path[PROC_PATH_SIZE], state = 'X', *text, *name_end;

	if (why == ENOENT || why == ESRCH)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	text = fd_read_file(path, 4096);
	name_end = text ? strrchr(text, ')') : NULL;
	if (name_end)
		(void)sscanf(name_end, ") %c", &state);
	free(text);
	errno = why;
	return state == 'Z' || state == 'X';
}

int proc_open(struct proc_list *e, const char *path)
{
	e->dir = opendir(path);
	return e->dir ? 0 : -1;
}

long proc_next(struct proc_list *e)
{
	struct dirent *entry;

	while ((entry = readdir(e->dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			return strtol(entry->d_name, NULL, 10);
	return -1;
}

void proc_close(struct proc_list *e)
{
	(void)closedir(e->dir);
}

long proc_number(pid_t pid, const char *file, const char *name, int base)
{
	char path[PROC_PATH_SIZE], *text;
	size_t length = strlen(name);
	long number = -1;

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	text = fd_read_file(path, 8192);
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':') {
			number = strtol(line + length + 1, NULL, base);
			break;
		}
	}
	free(text);
	return number;
}

int proc_each_fd(pid_t pid, proc_fd_fn *see, void *ctx)
{
	char path[PROC_PATH_SIZE], name[24], link[LINK_SIZE];
	struct proc_list e;
	ssize_t n;
	long fd;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	if (proc_open(&e, path))
		return proc_gone(pid, errno) ? 0 : -1;
	while (rc == 0 && (fd = proc_next(&e)) >= 0) {
		(void)snprintf(name, sizeof(name), "%ld", fd);
		n = readlinkat(dirfd(e.dir), name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		rc = see(pid, (int)fd, link, ctx);
	}
	proc_close(&e);
	return rc;
}

unsigned long proc_socket_inode(const char *link)
{
	static const char head[] = "socket:[";
	bool is_one = strncmp(link, head, sizeof(head) - 1) == 0;

	return is_one ? strtoul(link + sizeof(head) - 1, NULL, 10) : 0;
}

static int64_t processor_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct proc_budget proc_budget_of(int ms)
{
	return (struct proc_budget){ .processor = processor_ms() + ms,
				     .clock = clock_monotonic_ms() + 4 * (int64_t)ms };
}

bool proc_budget_spent(const struct proc_budget *b)
{
	return processor_ms() >= b->processor || clock_monotonic_ms() >= b->clock;
}

static void add_children(struct proc_family *f, pid_t pid, long thread)
{
	char path[PROC_PATH_SIZE], *text, *at, *end;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid, thread);
	text = fd_read_file(path, 65536);
	for (at = text; at && f->count < PROC_FAMILY_MOST; at = end) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		f->pids[f->count++] = (pid_t)child;
	}
	free(text);
}

int proc_children(pid_t pid, struct proc_family *f)
{
	char path[PROC_PATH_SIZE];
	struct proc_list e;
	long thread;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	if (proc_open(&e, path))
		return -1;
	while ((thread = proc_next(&e)) > 0)
		add_children(f, pid, thread);
	proc_close(&e);
	return 0;
}

void proc_family(pid_t pid, struct proc_family *f)
{
	*f = (struct proc_family){ .pids = { pid }, .count = 1 };
	for (size_t i = 0; i < f->count; i++)
		(void)proc_children(f->pids[i], f);
}
