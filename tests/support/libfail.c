/* libfail: system calls of the daemon that fail when a story says so (LD_PRELOAD).
 *
 *	HOLDPORT_FAIL="CALL[@SUBSTRING]:ERRNO:FIRST[-LAST][,...]"
 *	HOLDPORT_FAIL="fork:EAGAIN:1-3,write@.pid:ENOSPC:1,open@/state:EROFS:2-"
 *
 * The FIRST to LAST call (counted from 1, per rule, by each process for itself)
 * returns -1 with ERRNO; without LAST it is one call, with a bare dash all from
 * FIRST on.  @SUBSTRING counts only calls on a path (open, rename, unlink, mkdir),
 * an address (bind, listen, accept: 127.0.0.1:80, unix:/path) or a descriptor
 * (write, fsync, ...: as /proc/self/fd shows it) that contains it; socket@netlink.
 * HOLDPORT_FAIL_LOG=FILE notes each failure, a line each.
 *
 * HOLDPORT_CLOCK=FILE shifts the wall clock by the seconds that stand in FILE,
 * which is read at each look at the clock; the monotonic clock goes on.
 *
 * HOLDPORT_SIGNAL=FILE: while FILE is there, HUP comes to the process that is about to
 * block it; once, for the file is gone then.
 *
 * In place of ERRNO, HANG lets the call wait while the file HOLDPORT_HANG is there.
 *
 * Only in managers and in who writes logs (`holdportd manage`, `scribe`): their keepers, and workers that inherit the
 * variables, are left alone.  vfork(2) becomes fork(2): a wrapper cannot return
 * twice from one frame.  Under the address sanitizer the story sets
 * ASAN_OPTIONS=verify_asan_link_order=0. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "address_text.h"

#define MOST_RULES 32

struct rule {
	char call[24], on[128];		/* on "": whatever it is called upon */
	int error;
	unsigned first, last, seen;
};

static const struct { const char *name; int value; } errors[] = {
#define E(name) { #name, name }
	E(EACCES), E(EADDRINUSE), E(EADDRNOTAVAIL), E(EAFNOSUPPORT), E(EAGAIN), E(EBADF),
	E(ECONNABORTED), E(ECONNREFUSED), E(ECONNRESET), E(EDQUOT), E(EEXIST), E(EFBIG),
	E(EINTR), E(EINVAL), E(EIO), E(EISDIR), E(ELOOP), E(EMFILE), E(ENAMETOOLONG), E(ENFILE),
	E(ENOBUFS), E(ENODEV), E(ENOENT), E(ENOMEM), E(ENOSPC), E(ENOSYS), E(ENOTDIR), E(ENOTSUP),
	E(EPERM), E(EPIPE), E(EPROTONOSUPPORT), E(EROFS), E(ETXTBSY), E(EXDEV),
#undef E
};

enum { HANG = -1 };

static const char *clock_file;	/* NULL: the clock is right */
static const char *signal_file;	/* NULL: none comes */
static struct rule rules[MOST_RULES];
static unsigned rule_count;
static bool busy;		/* a note is being written, or a rule looked for */

static int error_named(const char *name)
{
	if (!strcmp(name, "HANG"))
		return HANG;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (!strcmp(errors[i].name, name))
			return errors[i].value;
	fprintf(stderr, "libfail: unknown error \"%s\"\n", name);
	abort();
}

static void read_rule(char *text)
{
	struct rule *r = &rules[rule_count++];
	char *range = strrchr(text, ':'), *error, *at, *dash;

	if (range)
		*range++ = '\0';
	error = strrchr(text, ':');	/* from behind: an address has colons too */
	if (rule_count > MOST_RULES || !range || !error) {
		fprintf(stderr, "libfail: cannot read \"%s\"\n", text);
		abort();
	}
	*error++ = '\0';
	at = strchr(text, '@');
	if (at) {
		*at++ = '\0';
		snprintf(r->on, sizeof(r->on), "%s", at);
	}
	snprintf(r->call, sizeof(r->call), "%s", text);
	r->error = error_named(error);
	r->first = r->last = (unsigned)strtoul(range, &dash, 10);
	if (*dash == '-')
		r->last = dash[1] ? (unsigned)strtoul(dash + 1, NULL, 10) : ~0u;
}

/* Not at the first call: a sanitizer calls before there are names and variables. */
__attribute__((constructor)) static void read_rules(int argc, char **argv)
{
	char *text = getenv("HOLDPORT_FAIL"), *item, *rest;

	if (argc < 2 || (strcmp(argv[1], "manage") != 0 && strcmp(argv[1], "scribe") != 0))
		return;
	clock_file = getenv("HOLDPORT_CLOCK");
	signal_file = getenv("HOLDPORT_SIGNAL");
	if (!text)
		return;
	text = strdup(text);
	for (item = strtok_r(text, ",", &rest); item; item = strtok_r(NULL, ",", &rest))
		read_rule(item);
	free(text);
}

static void note(const struct rule *r, const char *on)
{
	const char *file = getenv("HOLDPORT_FAIL_LOG");
	FILE *out = file ? fopen(file, "ae") : NULL;

	if (!out)
		return;
	fprintf(out, "%d %s %s %s %u\n", getpid(), r->call, *on ? on : "-",
		r->error == HANG ? "HANG" : strerrorname_np(r->error), r->seen);
	fclose(out);
}

static void hang(void)
{
	const char *file = getenv("HOLDPORT_HANG");

	while (file && access(file, F_OK) == 0)
		(void)poll(NULL, 0, 5);
}

/* Is this call to fail?  Then errno is set.  Every rule of the call counts it. */
static bool fails(const char *call, const char *on)
{
	const struct rule *hit = NULL;

	if (busy || !rule_count)
		return false;
	busy = true;
	for (unsigned i = 0; i < rule_count; i++) {
		struct rule *r = &rules[i];

		if (strcmp(r->call, call) != 0 || (*r->on && !strstr(on, r->on)))
			continue;
		r->seen++;
		if (r->seen >= r->first && r->seen <= r->last)
			hit = r;
	}
	if (hit)
		note(hit, on);
	busy = false;
	if (hit && hit->error == HANG) {
		hang();
		return false;
	}
	if (hit)
		errno = hit->error;
	return hit;
}

static bool fails_on_fd(const char *call, int fd)
{
	int kept = errno;
	char link[40], name[512] = "";
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	errno = kept;
	return fails(call, name);
}

static bool fails_on_address(const char *call, const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_storage at = { 0 };
	char name[160];

	memcpy(&at, address, length < sizeof(at) ? length : sizeof(at));
	address_print(&at, length, name, sizeof(name));
	return fails(call, name);
}

static bool fails_on_socket(const char *call, int fd)
{
	struct sockaddr_storage at;
	socklen_t length = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &length) < 0)
		return false;		/* it will fail by itself */
	return fails_on_address(call, (struct sockaddr *)&at, length);
}

static void *next_of(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

#define EXPORT __attribute__((visibility("default")))
/* One call: what it returns, its name, the rule's name, parameters, arguments,
 * the question whether it fails. */
#define WRAP(type, name, parameters, arguments, question)                 \
	EXPORT type name parameters;                                      \
	EXPORT type name parameters                                       \
	{                                                                 \
		static type (*next) parameters;                           \
                                                                          \
		if (!next)                                                \
			*(void **)&next = next_of(#name);                 \
		return question ? (type)-1 : next arguments;              \
	}

WRAP(pid_t, fork, (void), (), fails("fork", ""))
WRAP(int, fexecve, (int fd, char *const a[], char *const e[]), (fd, a, e), fails("fexecve", ""))
WRAP(int, socket, (int f, int t, int p), (f, t, p),
     fails("socket", f == AF_NETLINK ? "netlink" : ""))
WRAP(int, socketpair, (int f, int t, int p, int v[2]), (f, t, p, v), fails("socketpair", ""))
WRAP(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n),
     fails_on_address("bind", a, n))
WRAP(int, listen, (int fd, int n), (fd, n), fails_on_socket("listen", fd))
WRAP(int, accept, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n),
     fails_on_socket("accept", fd))
WRAP(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int f), (fd, a, n, f),
     fails_on_socket("accept4", fd))
WRAP(int, pipe, (int v[2]), (v), fails("pipe", ""))
WRAP(int, pipe2, (int v[2], int f), (v, f), fails("pipe2", ""))
WRAP(int, epoll_create1, (int f), (f), fails("epoll_create1", ""))
WRAP(int, epoll_ctl, (int e, int op, int fd, struct epoll_event *ev), (e, op, fd, ev),
     fails_on_fd("epoll_ctl", fd))
WRAP(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n), fails_on_fd("write", fd))
WRAP(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), fails_on_fd("write", fd))
WRAP(int, fsync, (int fd), (fd), fails_on_fd("fsync", fd))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f), fails_on_fd("sendmsg", fd))
WRAP(int, rename, (const char *a, const char *b), (a, b), fails("rename", b))
WRAP(int, unlink, (const char *a), (a), fails("unlink", a))
WRAP(int, mkdir, (const char *a, mode_t m), (a, m), fails("mkdir", a))

EXPORT pid_t vfork(void);
EXPORT pid_t vfork(void)
{
	return fails("vfork", "") ? -1 : fork();
}

/* A signal comes just before it would have to wait. */
EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
	static int (*next)(int, const sigset_t *, sigset_t *);

	if (!next)
		*(void **)&next = next_of("sigprocmask");
	if (signal_file && set && sigismember(set, SIGHUP) == 1 && syscall(SYS_unlinkat, AT_FDCWD, signal_file, 0) == 0)
		(void)kill(getpid(), SIGHUP);
	return next(how, set, before);
}

/* These return the error instead. */
#define WRAP_SPAWN(name)                                                                      \
	EXPORT int name(pid_t *pid, const char *path, const posix_spawn_file_actions_t *f,    \
			const posix_spawnattr_t *a, char *const argv[], char *const env[])    \
	{                                                                                     \
		static int (*next)(pid_t *, const char *, const posix_spawn_file_actions_t *, \
				   const posix_spawnattr_t *, char *const[], char *const[]);  \
                                                                                              \
		if (!next)                                                                    \
			*(void **)&next = next_of(#name);                                     \
		return fails("posix_spawn", path) ? errno : next(pid, path, f, a, argv, env); \
	}

WRAP_SPAWN(posix_spawn)
WRAP_SPAWN(posix_spawnp)

/* The mode is an argument only where a file may be made. */
static mode_t mode_of(int flags, va_list rest)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define WRAP_OPEN(name)                                                    \
	EXPORT int name(const char *path, int flags, ...)                  \
	{                                                                  \
		static int (*next)(const char *, int, ...);                \
		mode_t mode;                                               \
		va_list rest;                                              \
                                                                           \
		va_start(rest, flags);                                     \
		mode = mode_of(flags, rest);                               \
		va_end(rest);                                              \
		if (!next)                                                 \
			*(void **)&next = next_of(#name);                  \
		return fails("open", path) ? -1 : next(path, flags, mode); \
	}

WRAP_OPEN(open)
WRAP_OPEN(open64)

#define WRAP_OPENAT(name)                                                      \
	EXPORT int name(int at, const char *path, int flags, ...)              \
	{                                                                      \
		static int (*next)(int, const char *, int, ...);               \
		mode_t mode;                                                   \
		va_list rest;                                                  \
                                                                               \
		va_start(rest, flags);                                         \
		mode = mode_of(flags, rest);                                   \
		va_end(rest);                                                  \
		if (!next)                                                     \
			*(void **)&next = next_of(#name);                      \
		return fails("open", path) ? -1 : next(at, path, flags, mode); \
	}

WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define WRAP_FOPEN(name)                                                      \
	EXPORT FILE *name(const char *path, const char *mode)                 \
	{                                                                     \
		static FILE *(*next)(const char *, const char *);             \
                                                                              \
		if (!next)                                                    \
			*(void **)&next = next_of(#name);                     \
		return fails("open", path) ? NULL : next(path, mode);         \
	}

WRAP_FOPEN(fopen)
WRAP_FOPEN(fopen64)

/* The clock */

static time_t shift(void)
{
	char text[32] = "";
	int kept = errno;
	/* not by open(2), which may be made to fail */
	int fd = clock_file ? (int)syscall(SYS_openat, AT_FDCWD, clock_file,
					   O_RDONLY | O_CLOEXEC, 0) : -1;

	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	errno = kept;
	return strtol(text, NULL, 10);
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, t);

	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		t->tv_sec += shift();
	return rc;
}

EXPORT time_t time(time_t *ret)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (ret)
		*ret = t.tv_sec;
	return t.tv_sec;
}
