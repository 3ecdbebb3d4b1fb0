/* strike: kills processes at a step of one of them, which a trace counts.
 *
 *	strike --pid PID [--child] [--images N] [--at N --victims V[,V...]]
 *
 * A step is a system call that somebody else could notice: to be killed before one that
 * only looks at files, at the clock or at its own memory is to be killed before the
 * next one.  Steps are those of PID, from now on; with --child those of the first
 * process that PID starts from now on; with --images N from the Nth exec(2) on.
 *
 * "watching" is printed when every step from now on is seen.  Before step N is taken
 * the victims are killed, in their order, each dead before the next: a number, or
 * "child".  The call of one that is not among them is made afterwards.  The line is
 * "struck STEP CALL" then, and whoever is left is let go.
 *
 * When stdin closes before that, the victims are killed where they are ("struck 0 0");
 * without --at everybody is let go, and the line is "steps N".  Exit code 2: PID may not
 * be traced. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "option_rows.h"

#define SYSCALL_STOP (SIGTRAP | 0x80)
#define MOST_VICTIMS 4

static struct {
	double pid, images, at;
	bool child;
	const char *victims;
} options;

static const struct option_row option_rows[] = {
	{ "pid", OPTION_NUMBER, &options.pid, "whose steps are counted" },
	{ "child", OPTION_FLAG, &options.child, "or those of the first process that it starts" },
	{ "images", OPTION_NUMBER, &options.images, "from its Nth exec(2) on" },
	{ "at", OPTION_NUMBER, &options.at, "the step before which the victims are killed" },
	{ "victims", OPTION_TEXT, &options.victims, "PID or child, a list with commas" },
	{ 0 }
};

/* Calls that nobody else notices. */
static const int unseen[] = {
	SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_futex,
	SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_getrandom, SYS_sysinfo,
	SYS_uname, SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid,
	SYS_getegid, SYS_clock_gettime, SYS_sched_getaffinity, SYS_sched_yield, SYS_fstat,
	SYS_newfstatat, SYS_statx, SYS_readlinkat, SYS_faccessat, SYS_pread64, SYS_lseek,
	SYS_getdents64, SYS_getcwd, SYS_restart_syscall,
#ifdef SYS_stat
	SYS_stat, SYS_lstat, SYS_readlink, SYS_access, SYS_arch_prctl,
#endif
};

static struct {
	pid_t counted;			/* 0: not there yet */
	unsigned images;		/* it has become */
	unsigned steps;
	unsigned long call;		/* the last one's */
} state;

static void trace(int request, pid_t pid, unsigned long data)
{
	/* It may have been killed: that is heard of by wait(2). */
	if (ptrace(request, pid, 0UL, data) < 0 && errno != ESRCH) {
		perror("strike: ptrace");
		exit(2);
	}
}

static pid_t victim_of(const char *word)
{
	return strcmp(word, "child") == 0 ? state.counted : (pid_t)strtol(word, NULL, 10);
}

/* One that we trace is taken away by us first, and by its parent afterwards. */
static void end_one(pid_t pid)
{
	int handle = (int)syscall(SYS_pidfd_open, pid, 0), status;
	struct pollfd ended = { .fd = handle, .events = POLLIN };

	if (handle < 0)
		return;
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL) > 0 && !WIFEXITED(status) && !WIFSIGNALED(status))
		;
	(void)poll(&ended, 1, -1);
	(void)close(handle);
}

static _Noreturn void strike(unsigned step, unsigned long call)
{
	char *words = strdup(options.victims ? options.victims : ""), *rest = words, *word;

	while ((word = strsep(&rest, ",")) && *word)
		if (victim_of(word) > 0)
			end_one(victim_of(word));
	printf("struck %u %lu\n", step, call);
	free(words);
	exit(0);
}

static bool is_seen(unsigned long call, unsigned long flags)
{
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen); i++)
		if (call == (unsigned long)unseen[i])
			return false;
	return call != SYS_openat || (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != O_RDONLY;
}

static void look_at_call(pid_t pid)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || state.images < (unsigned)options.images ||
	    !is_seen(info.entry.nr, info.entry.args[2]))
		return;
	state.steps++;
	if (options.at && state.steps == (unsigned)options.at)
		strike(state.steps, info.entry.nr);
}

/* The first one that we are told of is the one; its own children are nothing to us. */
static void meet(pid_t pid)
{
	if (state.counted) {
		trace(PTRACE_DETACH, pid, 0);
		return;
	}
	state.counted = pid;
	trace(PTRACE_SETOPTIONS, pid, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC);
	trace(PTRACE_SYSCALL, pid, 0);
}

static void on_stop(pid_t pid, int status)
{
	int number = WSTOPSIG(status), event = status >> 16;
	bool ours = pid == state.counted;

	if (!ours && pid != (pid_t)options.pid) {
		meet(pid);
		return;
	}
	if (ours && number == SYSCALL_STOP)
		look_at_call(pid);
	if (ours && event == PTRACE_EVENT_EXEC)
		state.images++;
	if (event == PTRACE_EVENT_STOP && number != SIGTRAP)
		trace(PTRACE_LISTEN, pid, 0);
	else
		trace(ours ? PTRACE_SYSCALL : PTRACE_CONT, pid,
		      event || number == SYSCALL_STOP ? 0 : (unsigned long)number);
}

static void look_around(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
		if (WIFSTOPPED(status))
			on_stop(pid, status);
}

static int hear_of_children(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void begin(pid_t pid)
{
	unsigned long what = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;

	if (options.child)
		what |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	else
		state.counted = pid;
	trace(PTRACE_SEIZE, pid, what);
	trace(PTRACE_INTERRUPT, pid, 0);
}

int main(int argc, char **argv)
{
	struct pollfd fds[] = { { .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	struct signalfd_siginfo info;
	int status;

	(void)argc;
	option_read(option_rows, argv);
	if (options.pid <= 0)
		option_usage(option_rows, "no --pid");
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	fds[0].fd = hear_of_children();
	begin((pid_t)options.pid);
	if (waitpid((pid_t)options.pid, &status, __WALL) > 0 && WIFSTOPPED(status))
		on_stop((pid_t)options.pid, status);
	puts("watching");
	while (!fds[1].revents && poll(fds, 2, -1) >= 0) {
		while (read(fds[0].fd, &info, sizeof(info)) > 0)
			;
		look_around();
	}
	if (options.at)
		strike(0, 0);
	printf("steps %u\n", state.steps);
	return 0;
}
