/* Walks over /proc, where everything may vanish between two looks. */
#ifndef HOLDPORT_PLATFORM_LINUX_PROC_H
#define HOLDPORT_PLATFORM_LINUX_PROC_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_PATH_SIZE 64

/* A directory's entries that are numbers: processes, threads, descriptors. */
struct proc_list {
	DIR *dir;
};

int proc_open(struct proc_list *l, const char *path);	/* 0, or -1 and errno */
long proc_next(struct proc_list *l);			/* -1 at the end */
void proc_close(struct proc_list *l);

/* Whether a failed look at a process was its end: an answer, not an error.
 * What is left of one until it is reaped may not be looked at either. */
bool proc_gone(pid_t pid, int why);

/* Sees one descriptor and what it links to; 1 ends the walk. */
typedef int proc_fd_fn(pid_t pid, int fd, const char *link, void *ctx);
/* 1 if one of them ended it, 0, -1 and errno where we may not look. */
int proc_each_fd(pid_t pid, proc_fd_fn *see, void *ctx);

/* The number behind NAME: in /proc/PID/FILE; -1: there is none. */
long proc_number(pid_t pid, const char *file, const char *name, int base);

/* The socket that a link of /proc/PID/fd names; 0: it is none. */
unsigned long proc_socket_inode(const char *link);

/* How long a walk may take: ms of the processor, by this thread, and four times as long
 * by the clock.  On a busy machine a walk takes longer, and is the same walk. */
struct proc_budget {
	int64_t processor, clock;
};

struct proc_budget proc_budget_of(int ms);
bool proc_budget_spent(const struct proc_budget *b);

#define PROC_FAMILY_MOST 1024

/* A process and those below it, oldest first; at most so many. */
struct proc_family {
	pid_t pids[PROC_FAMILY_MOST];
	size_t count;
};

void proc_family(pid_t pid, struct proc_family *ret);
/* Adds the children of one; -1 and errno: it is gone. */
int proc_children(pid_t pid, struct proc_family *f);

#endif
