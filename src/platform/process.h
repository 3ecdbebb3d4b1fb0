/* A process of ours: started, signalled, its end seen, reaped.
 *
 * A signal is sent only while there is proof that the process is ours: it is
 * our child and was not reaped, and where the system has a handle for a
 * process (Linux: pidfd_open(2), 5.3) the signal goes through that handle. */
#ifndef HOLDPORT_PLATFORM_PROCESS_H
#define HOLDPORT_PLATFORM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "platform/traits.h"

struct process {
	pid_t pid;	/* 0: none */
	int handle;	/* a pidfd; -1 where there is none */
};

#define PROCESS_NONE ((struct process){ .pid = 0, .handle = -1 })

/* How a process ended.  Exactly one of the two is meant: signal if not 0. */
struct process_end {
	int code;
	int signal;
	bool core;
};

struct spawn_limit {
	int resource;
	struct rlimit value;
};

enum { SPAWN_PIDS = 2 };
enum { SPAWN_FD_NULL = -1 /* /dev/null */, SPAWN_FD_CLOSED = -2 };

/* A child described as data.  Everything is prepared before the fork; between
 * fork and exec there is only a straight line of system calls.  The caller owns
 * all of it, and it is used only during platform_spawn(). */
struct spawn {
	const char *path;		/* what is executed */
	const int *file;		/* opened: executed in place of path; NULL: path */
	char *const *argv, *const *env;
	char *pid_digits[SPAWN_PIDS];	/* inside env: where the child writes its own pid, or NULL */
	size_t pid_digits_size;
	const int *cgroup;		/* the door of its group (platform/cgroup.h); NULL: none */
	bool session;			/* a session of its own, not only a group */
	int *ret_gate;			/* not NULL: it waits before exec until a byte is written
					 * there, and ends if that is closed instead */
	const int *fds;			/* fds[i] becomes descriptor i, or SPAWN_FD_… */
	size_t fd_count;
	const char *directory;		/* NULL: as ours */
	bool set_user, set_group;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;		/* with set_user or set_group */
	size_t group_count;
	bool set_umask;
	mode_t umask;
	const struct spawn_limit *limits;
	size_t limit_count;
	const struct traits *traits;	/* NULL: as ours */
	const struct filter *filter;	/* NULL: none (platform/intercept.h) */
};

/* Starts it in a process group of its own with every signal at its default and
 * unblocked.  *ret_report becomes readable when exec(2) has its verdict: read it
 * with platform_spawn_verdict().  -1: no process was made. */
int platform_spawn(const struct spawn *s, struct process *ret, int *ret_report, struct err *err);

/* What is to be known of a child until exec(2) has its verdict. */
struct spawn_report {
	int why;			/* FAILED: errno … */
	const char *step;		/* … of what it did, in words: "exec", "directory", … */
	int listener;			/* FILTERED: of its filter; the caller owns it */
};

enum verdict { VERDICT_PENDING, VERDICT_FILTERED /* and more to come */, VERDICT_RUNS,
	       VERDICT_FAILED };
enum verdict platform_spawn_verdict(int report, struct spawn_report *ret);

/* 0, or -1 and errno (ESRCH: it has ended).  Never reaches a reaped pid. */
int platform_signal(const struct process *p, int number);
int platform_signal_group(const struct process *p, int number);

/* Which process a worker says is its main one. */
struct main_claim {
	pid_t pid;			/* 0: the descriptor says */
	uint64_t id;			/* inode of its pidfd; 0: not said */
	int fd;				/* a pidfd; -1: none.  Borrowed */
};

/* Holds it, if it is below the worker or in its process group.  It need not be our
 * child: then nobody tells us its exit status.  The caller owns the handle. */
int platform_find_main(const struct process *worker, const struct main_claim *claim,
		       struct process *ret, struct err *err);
/* By its handle; true where there is none. */
bool platform_has_ended(const struct process *p);

/* Has it ended?  1 and how, 0 not yet, -1 it is not our child.  Leaves the
 * zombie (waitid(2) with WNOWAIT), so its pid and group stay ours. */
int platform_peek(const struct process *p, struct process_end *ret);
/* Every descriptor from `first` on closes at exec: for what was left open by
 * whoever started us. */
void platform_close_on_exec_from(int first);
/* A file without a name, in memory where the system has that.  Close-on-exec; -1 and
 * errno. */
int platform_anonymous_file(const char *name);
/* When it began, in the system's own measure, so that a number that was used again
 * is told from the process that had it; 0: it is gone, or not to be seen. */
uint64_t platform_process_born(pid_t pid);
/* One start of this system; "" where it cannot be told. */
enum { BOOT_ID_SIZE = 40 };
const char *platform_boot_id(char buf[BOOT_ID_SIZE]);
/* A handle for one that need not be our child, if it is the one that was born then.
 * -1: it is gone, or cannot be held. */
int platform_process_find(pid_t pid, uint64_t born, struct process *ret);
/* A number that no other process of this boot ever has, asked of its handle; 0: this
 * system has no such. */
uint64_t platform_process_id(const struct process *p);
/* platform_process_find() by that: what is born need not be looked up. */
int platform_process_known(pid_t pid, uint64_t id, struct process *ret);
/* How one ended that is not our child, once its parent has taken it away.  1 and how;
 * 0: not to be seen yet; -1: not on this system. */
int platform_end_of_stranger(const struct process *p, struct process_end *ret);
/* A file that was ours, and that a process of ours may still have open. */
struct lost_file {
	uint64_t inode;			/* of a socket or a pipe; 0: the listener of its filter */
	int fd;				/* what was found; the caller owns it; -1 */
};
/* Copies what a process, or one below it, still has of these; a pipe for reading.
 * -1: something was seen that may not be copied, or nothing may be looked at, and
 * why. */
int platform_take_back(pid_t pid, struct lost_file *lost, size_t count, struct err *err);
/* From now on orphans below us become our children.  0, or -1: this system has no
 * such thing, and they go to the first process. */
int platform_become_reaper(void);
/* The file that we run, held open, whatever stands at its path by now; path is how
 * we were started.  Close-on-exec; -1 and errno. */
int platform_own_image(const char *path);
/* This process goes on with another image, held open: the same pid, the same children,
 * the descriptors that do not close at exec.  Signals are blocked then, until that image
 * takes them.  Returns only when it cannot: -1 and errno, nothing changed. */
int platform_become(int file, char *const argv[], char *const env[]);
void platform_take_signals(void);
void platform_block_signals(void);
/* Goes on as a grandchild of whoever started us, who need not wait for our end. */
void platform_step_out(void);
/* How process lists call us: a file that is run by its descriptor has no name. */
void platform_name_process(const char *name);
/* Closes those from `first` on that do not close at exec: what our starter left. */
void platform_close_inherited_from(int first);
/* A child of ours, or an orphan that became one, that has ended and was not reaped;
 * 0: none. */
pid_t platform_ended_child(void);
/* Takes the zombie away and closes the handle; *p becomes PROCESS_NONE. */
void platform_reap(struct process *p);

#endif
