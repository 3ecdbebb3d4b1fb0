/* fork(2), a straight line of system calls, execve(2). */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "base/pass.h"
#include "platform/handle.h"
#include "platform/intercept.h"
#include "platform/process.h"

/* What the child was at, so that the parent can say it in words. */
#define STEPS(X)                               \
	X(GROUP, "process group")              \
	X(CGROUP, "cgroup")                    \
	X(FDS, "descriptors")                  \
	X(OOM, "oom_score_adj")                \
	X(NICE, "nice value")                  \
	X(IO, "io_class")                      \
	X(PROCESSORS, "cpu_affinity")          \
	X(LIMITS, "limits")                    \
	X(PRIVILEGES, "no_new_privileges")     \
	X(FILTER, "handoff = intercept")       \
	X(BOUNDS, "bounds of capabilities")    \
	X(IDENTITY, "user and group")          \
	X(CAPABILITIES, "capabilities")        \
	X(DIRECTORY, "directory")              \
	X(EXEC, "exec")

enum step {
#define X(name, word) STEP_##name,
	STEPS(X)
#undef X
	STEP_COUNT
};

/* The highest descriptor that a worker can be given by `ready = fd:N` is 1023. */
enum { FDS_MOST = 1280 };

/* Where a worker has the listener of its filter, or near it. */
enum { HIGH_FD = 1000 };

struct failure {
	int why;
	int step;
};

/* Descriptors must not land on one that is still to be moved: lift all of them
 * clear of the landing strip first.  The report pipe and the executable go too. */
static int place(const struct spawn *s, int *file, int *report, int *gate)
{
	int lifted[FDS_MOST];
	int clear = (int)s->fd_count < 3 ? 3 : (int)s->fd_count;

	if (s->fd_count > COUNT(lifted)) {
		errno = E2BIG;
		return -1;
	}
	if ((*report = fcntl(*report, F_DUPFD_CLOEXEC, clear)) < 0 ||
	    (s->file && (*file = fcntl(*s->file, F_DUPFD_CLOEXEC, clear)) < 0) ||
	    (*gate >= 0 && (*gate = fcntl(*gate, F_DUPFD_CLOEXEC, clear)) < 0))
		return -1;
	for (size_t i = 0; i < s->fd_count; i++) {
		lifted[i] = s->fds[i];
		if (s->fds[i] >= 0)
			lifted[i] = fcntl(s->fds[i], F_DUPFD_CLOEXEC, clear);
		else if (s->fds[i] == SPAWN_FD_NULL)
			lifted[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (lifted[i] < 0 && s->fds[i] != SPAWN_FD_CLOSED)
			return -1;
	}
	for (size_t i = 0; i < s->fd_count; i++) {
		if (s->fds[i] == SPAWN_FD_CLOSED)
			(void)close((int)i);
		else if (lifted[i] == (int)i ? fcntl((int)i, F_SETFD, 0) < 0
					     : dup2(lifted[i], (int)i) < 0)
			return -1;
	}
	return 0;
}

static int limit(const struct spawn *s, int report)
{
	(void)report;
	for (size_t i = 0; i < s->limit_count; i++)
		if (setrlimit((unsigned)s->limits[i].resource, &s->limits[i].value) < 0)
			return -1;
	return 0;
}

/* Up there it is in nobody's way, and select(2) can still name it. */
static int lift_listener(int listener)
{
	struct rlimit most;
	int lowest = HIGH_FD;

	if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < HIGH_FD + 24)
		lowest = most.rlim_cur > 32 ? (int)most.rlim_cur - 8 : 0;
	return fcntl(listener, F_DUPFD, lowest);
}

/* It stays open in the worker: a call that is reported while nobody of ours lives
 * waits for one who does, where it would fail with the last listener closed. */
static int filter_calls(const struct spawn *s, int report)
{
	const struct failure none = { .step = STEP_FILTER };
	int listener, rc;

	if (!s->filter)
		return 0;
	listener = platform_filter_install(s->filter);
	if (listener < 0)
		return -1;
	rc = lift_listener(listener) < 0 ? -1
					 : pass_send(report, &none, sizeof(none), listener);
	(void)close(listener);
	return rc;
}

static int change_identity(const struct spawn *s, int report)
{
	(void)report;
	if ((s->set_user || s->set_group) && geteuid() == 0 &&
	    setgroups(s->group_count, s->groups) < 0)
		return -1;
	if (s->set_group && setresgid(s->gid, s->gid, s->gid) < 0)
		return -1;
	if (s->set_user && setresuid(s->uid, s->uid, s->uid) < 0)
		return -1;
	return 0;
}

static const struct traits *traits_of(const struct spawn *s)
{
	static const struct traits none = { .nice = TRAIT_UNSET, .oom_score_adj = TRAIT_UNSET };

	return s->traits ? s->traits : &none;
}

/* In this order: what only root may is done before the user changes, and
 * capabilities come back after it. */
static enum step change_rights(const struct spawn *s, int report)
{
	static const struct {
		enum step step;
		int (*set)(const struct traits *t);	/* or: */
		int (*change)(const struct spawn *s, int report);
	} changes[] = {
		{ STEP_OOM, platform_set_oom, NULL },
		{ STEP_NICE, platform_set_nice, NULL },
		{ STEP_IO, platform_set_io, NULL },
		{ STEP_PROCESSORS, platform_set_processors, NULL },
		{ STEP_LIMITS, NULL, limit },
		{ STEP_PRIVILEGES, platform_set_no_new_privileges, NULL },
		{ STEP_FILTER, NULL, filter_calls },
		{ STEP_BOUNDS, platform_limit_capabilities, NULL },
		{ STEP_IDENTITY, NULL, change_identity },
		{ STEP_CAPABILITIES, platform_set_capabilities, NULL },
	};

	for (size_t i = 0; i < COUNT(changes); i++)
		if ((changes[i].set ? changes[i].set(traits_of(s))
						   : changes[i].change(s, report)) < 0)
			return changes[i].step;
	return STEP_EXEC;
}

/* The pid into the environment: sprintf() is not for a child of fork(). */
static void write_pid(char *p, size_t size)
{
	char *end = p + size - 1;
	char reversed[24];
	size_t n = 0;
	long pid = getpid();

	for (; pid; pid /= 10)
		reversed[n++] = (char)('0' + pid % 10);
	while (n && p < end)
		*p++ = reversed[--n];
	*p = '\0';
}

static void reset_signals(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static enum step prepare(const struct spawn *s, int *file, int *report, int *gate)
{
	enum step failed;

	if ((s->session ? setsid() : setpgid(0, 0)) < 0)
		return STEP_GROUP;
	if (s->cgroup && write(*s->cgroup, "0", 1) != 1)
		return STEP_CGROUP;
	if (place(s, file, report, gate) < 0)
		return STEP_FDS;
	failed = change_rights(s, *report);
	if (failed != STEP_EXEC)
		return failed;
	if (s->set_umask)
		(void)umask(s->umask);
	if (s->directory && chdir(s->directory) < 0)
		return STEP_DIRECTORY;
	return STEP_EXEC;
}

/* Whoever made us writes down that he did; if he ends before that, so do we. */
static void wait_at_gate(int gate)
{
	char go;
	ssize_t n;

	if (gate < 0)
		return;
	do
		n = read(gate, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(127);
}

static _Noreturn void become(const struct spawn *s, int report, int gate)
{
	struct failure failure;
	int file = -1;

	if (s->ret_gate)
		(void)close(*s->ret_gate);
	failure.step = (int)prepare(s, &file, &report, &gate);
	if (failure.step == STEP_EXEC) {
		wait_at_gate(gate);
		for (size_t i = 0; i < SPAWN_PIDS; i++)
			if (s->pid_digits[i])
				write_pid(s->pid_digits[i], s->pid_digits_size);
		reset_signals();
		if (file >= 0)
			(void)fexecve(file, s->argv, s->env);
		else
			(void)execve(s->path, s->argv, s->env);
	}
	failure.why = errno;
	(void)!write(report, &failure, sizeof(failure));
	_exit(127);
}

/* Every signal is blocked over the fork, so that no handler of ours runs in
 * the child before it has put them back to their defaults. */
static pid_t fork_quietly(const struct spawn *s, int report[2], int gate)
{
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(s, report[1], gate);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int platform_spawn(const struct spawn *s, struct process *ret, int *ret_report, struct err *err)
{
	int report[2], gate[2] = { -1, -1 };
	pid_t pid;

	/* A pipe could not pass the listener of a filter. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, report) < 0)
		return err_sys(err, errno, "cannot make a pipe for a new process");
	if (s->ret_gate && pipe2(gate, O_CLOEXEC) < 0) {
		fd_close(&report[0]);
		fd_close(&report[1]);
		return err_sys(err, errno, "cannot make a pipe for a new process");
	}
	if (s->ret_gate)
		*s->ret_gate = gate[1];
	pid = fork_quietly(s, report, gate[0]);
	fd_close(&report[1]);
	fd_close(&gate[0]);
	if (pid < 0) {
		int why = errno;

		fd_close(&report[0]);
		if (s->ret_gate)
			fd_close(s->ret_gate);
		return err_sys(err, why, "cannot fork");
	}
	/* Both sides set the group: whoever is first, it is there before a signal. */
	if (!s->session)
		(void)setpgid(pid, pid);
	*ret = (struct process){ .pid = pid, .handle = platform_handle_open(pid) };
	*ret_report = report[0];
	return 0;
}

enum verdict platform_spawn_verdict(int report, struct spawn_report *ret)
{
	static const char *const words[] = {
#define X(name, word) [STEP_##name] = word,
		STEPS(X)
#undef X
	};
	struct failure failure;
	int listener;
	ssize_t n = pass_receive(report, &failure, sizeof(failure), &listener);

	*ret = (struct spawn_report){ .step = "?", .listener = listener };
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return VERDICT_PENDING;
	if (n != (ssize_t)sizeof(failure))
		return VERDICT_RUNS;
	if (listener >= 0)
		return VERDICT_FILTERED;
	ret->why = failure.why;
	if (failure.step >= 0 && failure.step < STEP_COUNT)
		ret->step = words[failure.step];
	return VERDICT_FAILED;
}
