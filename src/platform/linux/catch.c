/* One report of a filter, caught by a process that may be ended.
 *
 * A worker that has userfaultfd or a slow file system mapped holds whoever reads
 * its memory; one that reads its own listener leaves us waiting for a report that
 * is gone.  It holds a child that has nothing but the listener and a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "platform/handle.h"
#include "platform/intercept.h"
#include "platform/linux/call_32.h"

/* Nothing of ours stays open in it, should it never end. */
static void let_go_of_all_but(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0)
		(void)syscall(SYS_close_range, 0, low - 1, 0);
	if (high > low + 1)
		(void)syscall(SYS_close_range, low + 1, high - 1, 0);
	(void)syscall(SYS_close_range, high + 1, ~0U, 0);
}

static int read_memory(pid_t thread, uint64_t at, void *ret, size_t size)
{
	struct iovec here = { ret, size };
	struct iovec there = { (void *)(uintptr_t)at, size };	/* NOLINT */

	errno = 0;
	return process_vm_readv(thread, &here, 1, &there, 1, 0) == (ssize_t)size
		? 0 : errno ? errno : EFAULT;
}

/* What is called, with which arguments. */
struct call {
	enum trap_call call;
	uint64_t args[3];
	int why;		/* errno: they cannot be read; 0 */
};

/* One call for all of them, whose arguments lie in memory. */
static void read_socketcall(const struct seccomp_notif *n, struct call *ret)
{
	uint32_t args[3] = { 0 };
	const size_t count = n->data.args[0] == SYS_LISTEN ? 2 : 3;

	ret->call = n->data.args[0] == SYS_LISTEN ? TRAP_LISTEN : TRAP_BIND;
	ret->why = read_memory((pid_t)n->pid, (uint32_t)n->data.args[1], args,
			       count * sizeof(*args));
	for (size_t i = 0; i < COUNT(args); i++)
		ret->args[i] = args[i];
}

static void read_call(const struct seccomp_notif *n, struct call *ret)
{
	bool by_32_bits = n->data.arch == SCMP_ARCH_X86;
	int listens = by_32_bits ? I386_LISTEN : SCMP_SYS(listen);

	if (by_32_bits && n->data.nr == I386_SOCKETCALL) {
		read_socketcall(n, ret);
		return;
	}
	ret->call = n->data.nr == listens ? TRAP_LISTEN : TRAP_BIND;
	ret->why = 0;
	for (size_t i = 0; i < COUNT(ret->args); i++)
		ret->args[i] = n->data.args[i];
}

/* Where it is in the worker's own root and directory.  Its file system may not answer
 * either, so this is for the child too. */
static void see_directory(struct trap *t)
{
	const struct sockaddr_un *un = (const void *)&t->sa;
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	char path[sizeof(un->sun_path) + 64];
	struct stat st;

	if (un->sun_family != AF_UNIX || t->length <= before || !un->sun_path[0])
		return;
	(void)snprintf(path, sizeof(path), "/proc/%ld/%s/%.*s", (long)t->thread,
		       un->sun_path[0] == '/' ? "root" : "cwd", (int)(t->length - before),
		       un->sun_path);
	strrchr(path, '/')[1] = '\0';
	if (stat(path, &st) == 0) {
		t->device = st.st_dev;
		t->directory = st.st_ino;
	}
}

static void fill_in(int listener, const struct seccomp_notif *n, struct trap *t)
{
	struct call c;
	int length;

	read_call(n, &c);
	length = (int)c.args[2];
	*t = (struct trap){ .id = n->id, .thread = (pid_t)n->pid, .call = c.call, .why = c.why,
			    .fd = c.why ? -1 : (int)c.args[0] };
	if (c.why || t->call != TRAP_BIND)
		return;
	if (length < (int)sizeof(sa_family_t) || length > (int)sizeof(t->sa)) {
		t->why = EINVAL;
		return;
	}
	t->length = (socklen_t)length;
	t->why = read_memory((pid_t)n->pid, c.args[1], &t->sa, t->length);
	if (!t->why)
		see_directory(t);
	if (!platform_trap_waits(listener, t))
		t->why = ESRCH;
}

/* The struct of libseccomp is as large as this kernel wants it. */
static _Noreturn void catch(int listener, int result, struct seccomp_notif *n)
{
	struct trap t;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	let_go_of_all_but(listener, result);
	while (seccomp_notify_receive(listener, n) != 0)
		if (errno != EINTR)
			_exit(1);
	fill_in(listener, n, &t);
	(void)!write(result, &t, sizeof(t));
	_exit(0);
}

static struct seccomp_notif *notification(void)
{
	static struct seccomp_notif *one;

	if (!one && seccomp_notify_alloc(&one, NULL) != 0)
		one = NULL;
	return one;
}

static pid_t fork_quietly(int listener, int result)
{
	struct seccomp_notif *n = notification();
	sigset_t all, before;
	pid_t pid;

	if (!n) {
		errno = ENOMEM;
		return -1;
	}
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		catch(listener, result, n);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int platform_trap_catch(int listener, struct process *ret, int *ret_result, struct err *err)
{
	int ends[2], why;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot make a pipe for a report of bind(2)");
	pid = fork_quietly(listener, ends[1]);
	why = errno;
	fd_close(&ends[1]);
	if (pid < 0) {
		fd_close(&ends[0]);
		return err_sys(err, why, "cannot fork for a report of bind(2)");
	}
	*ret = (struct process){ .pid = pid, .handle = platform_handle_open(pid) };
	*ret_result = ends[0];
	return 0;
}

bool platform_trap_caught(int result, struct trap *ret)
{
	struct trap t;

	if (read(result, &t, sizeof(t)) != (ssize_t)sizeof(t))
		return false;
	*ret = t;
	return true;
}
