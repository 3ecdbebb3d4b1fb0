/* Where else a process has a socket than under the number that it calls bind(2) with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/intercept.h"
#include "platform/linux/proc.h"

/* A worker that has more keeps nobody busy: it is taken at its word. */
enum { LOOKED_AT_MOST = 4096, SETS_MOST = 64 };

struct look {
	int fd;
	char own[64];			/* "socket:[4711]" */
	unsigned long inode;
	unsigned looked_at, sets;
	bool found;
};

/* Its line in fdinfo: "tfd: 5 events: 19 data: 5  pos:0 ino:2a sdev:8" */
static bool watches(pid_t pid, int set, unsigned long inode)
{
	char path[PROC_PATH_SIZE], *text, *line;
	bool found = false;

	(void)snprintf(path, sizeof(path), "/proc/%ld/fdinfo/%d", (long)pid, set);
	text = fd_read_file(path, 256 * 1024);
	for (line = text; line && !found; line = strchr(line + 1, '\n')) {
		const char *ino = strstr(line, " ino:");

		found = ino && strtoul(ino + 5, NULL, 16) == inode;
	}
	free(text);
	return found;
}

static int see(pid_t pid, int fd, const char *link, void *ctx)
{
	struct look *l = ctx;

	if (strcmp(link, l->own) == 0 && fd != l->fd)
		l->found = true;
	else if (strcmp(link, "anon_inode:[eventpoll]") == 0 && l->sets++ < SETS_MOST)
		l->found = watches(pid, fd, l->inode);
	return l->found || ++l->looked_at >= LOOKED_AT_MOST;
}

bool platform_trap_is_elsewhere(const struct trap *t)
{
	pid_t process = (pid_t)proc_number(t->thread, "status", "Tgid", 10);
	struct look l = { .fd = t->fd };
	char path[PROC_PATH_SIZE];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)t->thread, t->fd);
	n = readlink(path, l.own, sizeof(l.own) - 1);
	l.inode = n > 0 ? proc_socket_inode(l.own) : 0;
	if (process <= 0 || !l.inode)
		return false;
	(void)proc_each_fd(process, see, &l);
	return l.found;
}
