/* One report of a filter, or one message, caught by a process that may be ended.
 *
 * A worker that has userfaultfd or a slow file system mapped holds whoever reads
 * its memory; one that reads its own listener leaves us waiting for a report that
 * is gone; a file of such a file system holds whoever closes it.  It holds a child
 * that has nothing but the listener and one end of a socket. */
#include <errno.h>
#include <linux/net.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "base/pass.h"
#include "platform/handle.h"
#include "platform/intercept.h"
#include "platform/linux/call_32.h"
#include "platform/linux/proc.h"

enum { MESSAGE_MOST = 1024 };

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
static struct seccomp_notif *notification(void)
{
	static struct seccomp_notif *one;

	if (!one && seccomp_notify_alloc(&one, NULL) != 0)
		one = NULL;
	return one;
}

static bool is_socket(int fd)
{
	socklen_t length = sizeof(int);
	int type;

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
}

/* Another descriptor is left alone: to close it again may take for ever. */
static bool links_to_socket(const struct trap *t)
{
	char path[PROC_PATH_SIZE], link[64] = "";

	(void)snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)t->thread, t->fd);
	return readlink(path, link, sizeof(link) - 1) < 0 || proc_socket_inode(link);
}

/* A thread has no pidfd before Linux 6.9; its process has. */
static int take_socket(struct trap *t)
{
	pid_t process = (pid_t)proc_number(t->thread, "status", "Tgid", 10);
	int handle = process > 0 ? pidfd_open(process, 0) : -1, fd = -1;

	errno = ENOTSOCK;
	if (handle >= 0 && links_to_socket(t))
		fd = pidfd_getfd(handle, t->fd, 0);
	t->refused = fd < 0 ? errno : 0;
	fd_close(&handle);
	if (!is_socket(fd))
		fd_close(&fd);
	return fd;
}

static void pass_on(int result, const void *bytes, size_t size, int own)
{
	if (own >= 0)
		(void)pass_send(result, bytes, size, own);
	else
		(void)!write(result, bytes, size);
}

static void catch_report(int listener, int result)
{
	struct seccomp_notif *n = notification();
	struct trap t;

	while (seccomp_notify_receive(listener, n) != 0)
		if (errno != EINTR)
			return;
	fill_in(listener, n, &t);
	pass_on(result, &t, sizeof(t), take_socket(&t));
}

static void catch_message(int conversation, int result)
{
	char bytes[MESSAGE_MOST];
	int own;
	ssize_t n = pass_receive(conversation, bytes, sizeof(bytes), &own);

	if (n > 0 && is_socket(own))
		pass_on(result, bytes, (size_t)n, own);
}

typedef void catch_fn(int from, int result);

static _Noreturn void catch(catch_fn *one, int from, int result)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	let_go_of_all_but(from, result);
	one(from, result);
	_exit(0);
}

static pid_t fork_quietly(catch_fn *one, int from, int result)
{
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		catch(one, from, result);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static int start(catch_fn *one, int from, struct process *ret, int *ret_result, struct err *err)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return err_sys(err, errno, "cannot make a socket for a report of bind(2)");
	pid = fork_quietly(one, from, ends[1]);
	fd_close(&ends[1]);
	if (pid < 0) {
		fd_close(&ends[0]);
		return err_sys(err, errno, "cannot fork for a report of bind(2)");
	}
	*ret = (struct process){ .pid = pid, .handle = platform_handle_open(pid) };
	*ret_result = ends[0];
	return 0;
}

int platform_trap_catch(int listener, struct process *ret, int *ret_result, struct err *err)
{
	if (!notification())
		return err_set(err, ENOMEM, "no memory for a report of bind(2)");
	return start(catch_report, listener, ret, ret_result, err);
}

bool platform_trap_caught(int result, struct trap *ret, int *ret_own)
{
	struct trap t;
	int own;

	if (pass_receive(result, &t, sizeof(t), &own) != (ssize_t)sizeof(t))
		return false;
	*ret = t;
	*ret_own = own;
	return true;
}

int platform_message_catch(int conversation, struct process *ret, int *ret_result,
			   struct err *err)
{
	return start(catch_message, conversation, ret, ret_result, err);
}
