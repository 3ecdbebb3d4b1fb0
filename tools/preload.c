/* libholdport-preload.so: bind(2) and listen(2) of a dynamically linked program, told
 * to its supervisor (LD_PRELOAD), where the system has no other way.
 *
 * Without a supervisor, or where none is reached (another root), the calls are what
 * they are.  No memory is asked for and no lock is taken: any thread may call, also
 * in a forked child. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/pass.h"
#include "process/wire.h"

#define SHOWN __attribute__((visibility("default")))

enum outcome { ALONE, AGAIN, DONE };

static struct sockaddr_un supervisor;

/* Programs overwrite their environment, to show a title. */
__attribute__((constructor)) static void note_supervisor(void)
{
	const char *path = getenv(WIRE_VARIABLE);

	if (!path || strlen(path) >= sizeof(supervisor.sun_path))
		return;
	strcpy(supervisor.sun_path, path);
	supervisor.sun_family = AF_UNIX;
}

/* ECONNREFUSED: keeper and manager were killed, and the next ones are waited for.  What
 * ends in order takes its path away. */
static int call_supervisor(void)
{
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), rc;

	if (s < 0)
		return -1;
	do
		rc = connect(s, (const struct sockaddr *)&supervisor, sizeof(supervisor));
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return s;
	rc = errno;
	(void)close(s);
	errno = rc;
	return -1;
}

static ssize_t hear(int s, struct wire_answer *ret, int *ret_fd)
{
	struct pollfd p = { .fd = s, .events = POLLIN };
	ssize_t n;

	do {
		(void)poll(&p, 1, -1);
		n = pass_receive(s, ret, sizeof(*ret), ret_fd);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	return n;
}

/* Close-on-exec as it was. */
static void replace(int fd, int by)
{
	int flags = fcntl(fd, F_GETFD);

	if (by < 0)
		return;
	(void)dup3(by, fd, flags >= 0 && flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	(void)close(by);
}

static enum outcome listen_to(int s, int fd, int *ret_why)
{
	struct wire_answer a;
	int by;

	while (hear(s, &a, &by) == (ssize_t)sizeof(a)) {
		replace(fd, by);
		if (a.word == WIRE_CONTINUE)
			return ALONE;
		*ret_why = a.why;
		if (a.word == WIRE_ANSWER)
			return DONE;
	}
	return AGAIN;
}

static enum outcome converse(const struct wire_call *call, int *ret_why)
{
	int s = call_supervisor();
	enum outcome outcome = ALONE;

	if (s < 0)
		return errno == ECONNREFUSED ? AGAIN : ALONE;
	if (pass_send(s, call, sizeof(*call), call->fd) == 0)
		outcome = listen_to(s, call->fd, ret_why);
	else if (errno == EPIPE || errno == ECONNRESET)
		outcome = AGAIN;
	(void)close(s);
	return outcome;
}

/* True: the call is over, and *ret what it returns. */
static bool ask(const struct wire_call *call, int *ret)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	int before = errno, why = 0;
	enum outcome outcome = ALONE;

	while (supervisor.sun_family && (outcome = converse(call, &why)) == AGAIN)
		(void)nanosleep(&moment, NULL);
	errno = outcome == DONE && why ? why : before;
	*ret = outcome == DONE && why ? -1 : 0;
	return outcome == DONE;
}

static void see_directory(struct wire_call *call)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char *slash;
	struct stat st;

	if (call->sa.ss_family != AF_UNIX || call->length > sizeof(un))
		return;
	memcpy(&un, &call->sa, call->length);
	if (!un.sun_path[0] || un.sun_path[sizeof(un.sun_path) - 1])
		return;
	slash = strrchr(un.sun_path, '/');
	if (slash)
		slash[1] = '\0';
	if (stat(slash ? un.sun_path : ".", &st) < 0)
		return;
	call->device = st.st_dev;
	call->directory = st.st_ino;
}

SHOWN int bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	struct wire_call call = { .fd = fd, .length = length };
	int before = errno, rc;

	if (sa && length >= sizeof(sa_family_t) && length <= sizeof(call.sa)) {
		memcpy(&call.sa, sa, length);
		see_directory(&call);
		errno = before;
		if (ask(&call, &rc))
			return rc;
	}
	return (int)syscall(SYS_bind, fd, sa, length);
}

SHOWN int listen(int fd, int backlog)
{
	struct wire_call call = { .listens = 1, .fd = fd };
	int rc;

	return ask(&call, &rc) ? rc : (int)syscall(SYS_listen, fd, backlog);
}
