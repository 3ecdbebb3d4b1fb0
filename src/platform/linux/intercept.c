/* seccomp_unotify(2). */
#include "platform/intercept.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/linux/proc.h"

enum { FILTER_MOST = 256 };

struct filter {
	struct sock_fprog program;
	struct sock_filter code[FILTER_MOST];
};

/* libseccomp 2.5 writes its program to a descriptor, and nowhere else. */
static int export(scmp_filter_ctx ctx, struct filter *f)
{
	int fd = memfd_create("filter", MFD_CLOEXEC), rc = -1;
	ssize_t n = -1;

	if (fd >= 0 && seccomp_export_bpf(ctx, fd) == 0)
		n = pread(fd, f->code, sizeof(f->code), 0);
	if (n > 0 && n < (ssize_t)sizeof(f->code)) {
		f->program = (struct sock_fprog){
			.len = (unsigned short)((size_t)n / sizeof(*f->code)), .filter = f->code };
		rc = 0;
	}
	fd_close(&fd);
	return rc;
}

typedef int add_fn(scmp_filter_ctx ctx, uint32_t action, int call, unsigned count, ...);

static int add_bind(scmp_filter_ctx ctx, add_fn *add, bool short_too)
{
	const struct scmp_arg_cmp long_enough = { .arg = 2, .op = SCMP_CMP_GE,
						  .datum_a = sizeof(struct sockaddr_in) };

	return short_too ? add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(bind), 0)
			 : add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(bind), 1, long_enough);
}

/* Of the calls of one kind of program.  Calls by any other (x32) go on unseen; of our
 * own kind those alone that have a number of their own. */
static scmp_filter_ctx rules(uint32_t arch, bool short_too)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	const uint32_t own = seccomp_arch_native();
	add_fn *add = arch == own ? seccomp_rule_add_exact : seccomp_rule_add;

	if (ctx && seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) == 0 &&
	    (arch == own || (seccomp_arch_add(ctx, arch) == 0 &&
			     seccomp_arch_remove(ctx, own) == 0)) &&
	    add_bind(ctx, add, short_too) == 0 &&
	    add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(listen), 0) == 0)
		return ctx;
	seccomp_release(ctx);
	return NULL;
}

/* A program of 32 bits has numbers of its own, and an older one says socketcall(2),
 * whose arguments no filter sees. */
static int add_32_bits(scmp_filter_ctx ctx)
{
	scmp_filter_ctx more = NULL;

	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		return 0;
	more = rules(SCMP_ARCH_X86, true);
	if (more && seccomp_merge(ctx, more) == 0)
		return 0;
	seccomp_release(more);
	return -1;
}

static int build(struct filter *f, bool short_too)
{
	scmp_filter_ctx ctx = rules(seccomp_arch_native(), short_too);
	int rc = ctx && add_32_bits(ctx) == 0 ? export(ctx, f) : -1;

	seccomp_release(ctx);
	return rc;
}

const struct filter *platform_filter(bool names, struct err *err)
{
	static struct filter made[2];
	struct filter *f = &made[names];

	if (!f->program.len && build(f, names) < 0) {
		(void)err_set(err, ENOTSUP, "this system cannot report a bind(2): libseccomp has "
					    "no such filter for it");
		return NULL;
	}
	return f;
}

static int install(const struct filter *f)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &f->program);
}

/* Not SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: a call that was reported to one who
 * died could never be reported again (measured on 6.18). */
int platform_filter_install(const struct filter *f)
{
	int listener = install(f);

	if (listener < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		listener = install(f);
	return listener;
}

/* The child has one number for us: 0, or errno. */
static _Noreturn void try_filter(int listener)
{
	int handle = pidfd_open(getpid(), 0);
	int copy = handle >= 0 && listener >= 0 ? pidfd_getfd(handle, listener, 0) : -1;

	_exit(copy >= 0 ? 0 : errno);
}

int platform_filter_works(struct err *err)
{
	const struct filter *f = platform_filter(true, err);
	int status = 0;
	pid_t pid;

	if (!f)
		return -1;
	pid = fork();
	if (pid == 0)
		try_filter(platform_filter_install(f));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return err_sys(err, errno, "cannot try to intercept bind(2)");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_sys(err, WEXITSTATUS(status), "a bind(2) cannot be intercepted here%s",
			       WEXITSTATUS(status) == EBUSY
				       ? ", for another filter that reports is in place (of a "
					 "container, or of another supervisor)" : "");
	return 0;
}

enum trap_pending platform_trap_pending(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	if (poll(&p, 1, 0) <= 0)
		return TRAP_NONE;
	/* POLLERR: a signal came in between. */
	return p.revents & POLLIN ? TRAP_REPORTED : p.revents & POLLHUP ? TRAP_OVER : TRAP_NONE;
}

bool platform_trap_waits(int listener, const struct trap *t)
{
	return seccomp_notify_id_valid(listener, t->id) == 0;
}

static bool closes_at_exec(const struct trap *t)
{
	char file[32];
	long flags;

	(void)snprintf(file, sizeof(file), "fdinfo/%d", t->fd);
	flags = proc_number(t->thread, file, "flags", 8);
	return flags >= 0 && flags & O_CLOEXEC;
}

int platform_trap_replace(int listener, const struct trap *t, int fd)
{
	struct seccomp_notif_addfd add = {
		.id = t->id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (unsigned)fd,
		.newfd = (unsigned)t->fd, .newfd_flags = closes_at_exec(t) ? O_CLOEXEC : 0,
	};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -1 : 0;
}

static void respond(int listener, struct seccomp_notif_resp *r)
{
	(void)seccomp_notify_respond(listener, r);	/* ENOENT: it was interrupted */
}

void platform_trap_answer(int listener, const struct trap *t, int why)
{
	struct seccomp_notif_resp r = { .id = t->id, .error = -why };

	respond(listener, &r);
}

void platform_trap_continue(int listener, const struct trap *t)
{
	struct seccomp_notif_resp r = { .id = t->id,
					.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	respond(listener, &r);
}
