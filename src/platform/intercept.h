/* A worker's own bind(2) and listen(2): reported to us, answered by us.
 *
 * Linux: a seccomp filter with a listener, over libseccomp.  The worker is not
 * trusted: what it points to may lie in memory that never answers, and it has the
 * listener too, so a report may be gone before we take it.  Both can block for
 * ever; so a report is caught by a child process that can be ended.  So can whatever
 * is done with a descriptor that is no socket: a file may lie in a file system of the
 * worker's own, which is asked when it is looked at, and when it is closed.  So the
 * child takes it, and passes on nothing but a socket. */
#ifndef HOLDPORT_PLATFORM_INTERCEPT_H
#define HOLDPORT_PLATFORM_INTERCEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"
#include "platform/process.h"

struct filter;
/* The same one at every call; NULL: this system cannot, and why.  Without names it
 * passes over addresses that are too short for a network: getaddrinfo(3) binds a
 * netlink socket each time, and is neither slowed down nor kept waiting. */
const struct filter *platform_filter(bool names, struct err *err);
/* By trying it in a child: 0, or -1 and why it would not work for a worker. */
int platform_filter_works(struct err *err);
/* In a child, between fork and exec: it and all below it are filtered from now on.
 * The listener, or -1 and errno.  Gives up new privileges where the system wants
 * that from who may not do without. */
int platform_filter_install(const struct filter *f);

enum trap_call { TRAP_BIND, TRAP_LISTEN };

struct trap {
	uint64_t id;
	pid_t thread;
	enum trap_call call;
	int fd;				/* the first argument, as the worker gave it */
	struct sockaddr_storage sa;	/* of bind; as the worker gave it */
	socklen_t length;
	dev_t device;			/* of a path: the directory that it lies in, */
	ino_t directory;		/* as the worker sees it; 0: none */
	int why;			/* errno: the address cannot be read; 0 */
	int refused;			/* errno: its descriptor cannot be had; 0 */
};

enum trap_pending { TRAP_NONE, TRAP_REPORTED, TRAP_OVER /* nobody is filtered any more */ };
enum trap_pending platform_trap_pending(int listener);
/* Starts to catch one report.  When the process has ended, *ret_result tells. */
int platform_trap_catch(int listener, struct process *ret, int *ret_result, struct err *err);
/* False: there was no report.  *ret_own is a copy of the worker's socket, close-on-exec
 * and the caller's; -1: it called with none. */
bool platform_trap_caught(int result, struct trap *ret, int *ret_own);
/* Starts to hear the one message of a conversation (base/pass.h), which is there.  When
 * the process has ended, it can be heard from *ret_result: if a socket came along. */
int platform_message_catch(int conversation, struct process *ret, int *ret_result,
			   struct err *err);

/* Whoever called is still there, inside the call. */
bool platform_trap_waits(int listener, const struct trap *t);
/* The process has it in an epoll set, or under another number: there it would stay
 * what it is. */
bool platform_trap_is_elsewhere(const struct trap *t);
/* Puts fd in its place, close-on-exec as that was.  -1 and errno. */
int platform_trap_replace(int listener, const struct trap *t, int fd);
/* The call returns 0, or -1 with this errno; or is carried out as if nobody had
 * looked. */
void platform_trap_answer(int listener, const struct trap *t, int why);
void platform_trap_continue(int listener, const struct trap *t);

/* What this worker, or any below it, called while nobody was there to answer is
 * reported once more, though another may have taken the report already. */
void platform_trap_again(pid_t worker);

#endif
