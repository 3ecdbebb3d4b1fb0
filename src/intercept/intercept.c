#include "intercept/intercept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "intercept/catch.h"
#include "intercept/path.h"
#include "intercept/understand.h"
#include "platform/platform.h"
#include "socket/heal.h"
#include "socket/open.h"
#include "socket/tune.h"

enum { MEMORY_MOST = 63 };	/* it goes through a signed number */
/* A server that tries again and again is heard, a loop fills no disk. */
enum { SAID_MOST = 50, SAID_MS = 10000 };

enum { WARNED_KEPT = 1, WARNED_ELSEWHERE = 2, WARNED_BEYOND = 4, WARNED_HIDDEN = 8,
       WARNED_OTHER = 16 };

static void watch(struct intercept *i);

static bool is_first(struct intercept *i, unsigned what)
{
	bool first = !(i->warned & what);

	i->warned |= what;
	return first;
}

static bool may_say(struct intercept *i)
{
	int64_t now = loop_now(i->spec.store->loop);

	if (!i->said || now - i->said_since >= SAID_MS) {
		i->said = 0;
		i->said_since = now;
	}
	return i->said++ < SAID_MOST;
}

static unsigned long inode_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static const char *asked_text(const struct asked *asked, char buf[ADDRESS_TEXT_SIZE])
{
	return address_text(&asked->key.address, buf);
}

/* A permission is served once the worker listens on what it bound under it. */
static void note_listening(struct intercept *i, struct held *h)
{
	int permit = decide_permit(&i->spec.permits, h);
	bool all = true;

	if (permit < 0 || i->listened[permit])
		return;
	i->listened[permit] = true;
	for (size_t n = 0; n < i->spec.permits.count; n++)
		all = all && i->listened[n];
	i->listens(i, all);
}

static void note_bound(struct intercept *i, struct held *h)
{
	if (h->key.type == SOCK_DGRAM)
		note_listening(i, h);
}

/* The flag is of the socket, in all who have it.  So it is never cleared here. */
static void follow_blocking(const struct held *h, int own)
{
	int flags = fcntl(own, F_GETFL);

	if (h->settings->non_blocking != CHOICE_NO && flags >= 0 && flags & O_NONBLOCK)
		(void)fd_non_blocking(h->fd, 1);
}

/* What it had set on its own socket. */
static void follow(struct intercept *i, const struct held *h, int own)
{
	struct str kept = { 0 };

	follow_blocking(h, own);
	tune_follow(h->fd, own, &h->key, h->settings, &kept);
	if (kept.length && is_first(i, WARNED_KEPT))
		log_warning("%s: set options on its socket that the held one cannot be given: %s; a "
			    "shutdown and a start bind it with them", i->spec.name,
			    str_text(&kept));
	str_fini(&kept);
}

static void warn_elsewhere(struct intercept *i, const char *then)
{
	if (is_first(i, WARNED_ELSEWHERE))
		log_warning("%s: has its socket in an epoll set, or twice, before it binds it, and "
			    "no other can take its place there: %s", i->spec.name, then);
}

static void hand(struct intercept *i, const struct report *r, const struct asked *asked,
		 struct held *h, int own)
{
	char text[ADDRESS_TEXT_SIZE];
	int why;

	if (platform_trap_is_elsewhere(&r->trap)) {
		warn_elsewhere(i, "its bind is refused");
		report_answer(r, EADDRINUSE);
		return;
	}
	follow(i, h, own);
	if (report_replace(r, h->fd) < 0) {
		why = errno;
		if (may_say(i))
			log_warning("%s: its bind of %s cannot be answered with the held socket: errno "
				    "%d", i->spec.name, asked_text(asked, text), why);
		report_answer(r, EADDRINUSE);
		return;
	}
	report_answer(r, 0);
	if (may_say(i))
		log_info("%s: its bind of %s is answered with the held socket", i->spec.name,
			 asked_text(asked, text));
	note_bound(i, h);
}

static void make(struct intercept *i, const struct report *r, const struct asked *asked,
		 struct held *permit, int *own)
{
	char text[ADDRESS_TEXT_SIZE];
	struct err err = { 0 };
	struct held *h = held_bind_own(permit, &asked->key, fd_take(own), &err);

	if (!h) {
		if (may_say(i))
			log_warning("%s: its bind of %s: %s", i->spec.name,
				    asked_text(asked, text), err.text);
		report_answer(r, err.code ? err.code : EADDRINUSE);
		return;
	}
	if (platform_trap_is_elsewhere(&r->trap))
		warn_elsewhere(i, "this worker serves, the next one will be refused");
	report_answer(r, 0);
	if (may_say(i))
		log_info("%s: bound %s, which is held from now on", i->spec.name,
			 asked_text(asked, text));
	note_bound(i, h);
}

static void refuse(struct intercept *i, const struct report *r, const struct asked *asked,
		   struct held *h, int own)
{
	char text[ADDRESS_TEXT_SIZE], held[ADDRESS_TEXT_SIZE];

	(void)own;
	if (may_say(i))
		log_warning("%s: its bind of %s is refused: [socket:%s] is %s, %s", i->spec.name,
			    asked_text(asked, text), h->settings->name,
			    address_text(&h->key.address, held),
			    decide_permit(&i->spec.permits, h) < 0
				    ? "which the program does not have among its sockets"
				    : "which is held, and is not the same");
	report_answer(r, EADDRINUSE);
}

static void let(struct intercept *i, const struct report *r, const struct asked *asked,
		struct held *exceeded)
{
	char text[ADDRESS_TEXT_SIZE], held[ADDRESS_TEXT_SIZE];

	if (exceeded && is_first(i, WARNED_BEYOND))
		log_warning("%s: it binds %s, which is more than [socket:%s] permits (%s): it has "
			    "its own socket there, which is not held", i->spec.name,
			    asked_text(asked, text), exceeded->settings->name,
			    address_text(&exceeded->key.address, held));
	report_continue(r);
}

/* What it asks for, in our words; false: nothing that could be held. */
static bool understand(struct intercept *i, const struct trap *t, int own, struct asked *ret)
{
	struct own_socket socket;
	struct held *meant;

	if (t->why || own < 0 || !understand_bind(own_socket(own, &socket), &t->sa, t->length, ret))
		return false;
	if (!path_asked(ret))
		return platform_in_our_network(own);
	meant = path_meant(i->spec.store, t, ret);
	if (!meant)
		return false;
	ret->key.address = meant->key.address;
	ret->key.namespace = meant->key.namespace;
	heal_look(meant);	/* servers unlink(2) a path before they bind it */
	return true;
}

static void answer_bind(struct intercept *i, const struct report *r, int *own)
{
	struct decision d = { BIND_LET, NULL };
	struct asked asked;

	/* Held already, by a call that was interrupted: the kernel would say EINVAL. */
	struct held *again = decide_which(i->spec.store, &i->spec.permits, inode_of(*own));

	if (!understand(i, &r->trap, *own, &asked)) {
		report_continue(r);
		return;
	}
	if (again && key_same_address(&again->key, &asked.key)) {
		report_answer(r, 0);
		note_bound(i, again);
		return;
	}
	d = decide_bind(i->spec.store, &i->spec.permits, &asked);
	switch (d.answer) {
	case BIND_HAND:
		hand(i, r, &asked, d.held, *own);
		break;
	case BIND_MAKE:
		make(i, r, &asked, d.held, own);
		break;
	case BIND_REFUSE:
		refuse(i, r, &asked, d.held, *own);
		break;
	case BIND_LET:
		let(i, r, &asked, d.held);
		break;
	}
}

/* Perhaps it is meant to be; perhaps one of the two numbers is wrong. */
static void note_other(struct intercept *i, int own)
{
	struct address a = { .length = sizeof(a.sa) };
	char text[ADDRESS_TEXT_SIZE];

	if (getsockname(own, (struct sockaddr *)&a.sa, &a.length) == 0 && address_port(&a) > 0 &&
	    is_first(i, WARNED_OTHER))
		log_info("%s: listens on %s, which is none of its sockets, and is not held",
			 i->spec.name, address_text(&a, text));
}

/* It listens since it was bound, with the backlog of the settings. */
static void answer_listen(struct intercept *i, const struct report *r, const int *own)
{
	struct held *h = decide_which(i->spec.store, &i->spec.permits, inode_of(*own));

	if (!h || h->key.type == SOCK_DGRAM) {
		if (!h)
			note_other(i, *own);
		report_continue(r);
		return;
	}
	report_answer(r, 0);
	note_listening(i, h);
}

static void answer(struct intercept *i, const struct report *r, int *own)
{
	if (r->trap.call == TRAP_LISTEN)
		answer_listen(i, r, own);
	else
		answer_bind(i, r, own);
}

static void on_visit(struct door *d, const struct report *r, int *own)
{
	answer(OWNER(d, struct intercept, door), r, own);
}

static void answer_trap(struct intercept *i, const struct trap *t, int *own)
{
	const struct report r = { .trap = *t, .listener = i->listener, .visitor = -1 };

	if ((t->refused == EPERM || t->refused == EACCES) && is_first(i, WARNED_HIDDEN))
		log_warning("%s: its sockets may not be looked at, so its bind(2) goes on as if "
			    "nobody intercepted it (not dumpable, or of a user beyond our rights)",
			    i->spec.name);
	answer(i, &r, own);
}

/* Who calls still waits: it is his socket that was taken, and not another's who was
 * given his number since. */
static void on_caught(int result, void *ctx)
{
	struct intercept *i = ctx;
	struct trap t;
	int own = -1;

	i->catch = NULL;
	if (result < 0) {
		i->stuck(i);
		return;
	}
	watch(i);
	if (platform_trap_caught(result, &t, &own) && platform_trap_waits(i->listener, &t))
		answer_trap(i, &t, &own);
	fd_drop(&own);
}

static void on_readable(struct loop_io *io, int events)
{
	struct intercept *i = OWNER(io, struct intercept, readable);
	enum trap_pending pending = platform_trap_pending(i->listener);
	struct err err = { 0 };

	(void)events;
	if (pending == TRAP_NONE)
		return;
	loop_io_stop(&i->readable);
	if (pending == TRAP_OVER) {
		if (i->over)
			i->over(i);
		return;
	}
	i->catch = catch_start(i->spec.store->loop, platform_trap_catch, i->listener, on_caught,
			       i, &err);
	if (i->catch)
		return;
	log_error("%s: %s", i->spec.name, err.text);
	i->stuck(i);
}

static void watch(struct intercept *i)
{
	loop_io_start(i->spec.store->loop, &i->readable, i->listener, LOOP_READ, on_readable);
}

void intercept_start(struct intercept *i, const struct intercept_spec *spec, int listener)
{
	i->spec = *spec;
	i->listener = listener;
	i->listened = mem_new((spec->permits.count + 1) * sizeof(*i->listened));
	for (size_t n = 0; n < spec->permits.count; n++)
		i->listened[n] = n < MEMORY_MOST && spec->listened >> n & 1;
	if (door_is(listener))
		door_open(&i->door, spec->store->loop, listener, on_visit);
	else
		watch(i);
}

uint64_t intercept_remember(const struct intercept *i)
{
	uint64_t listened = 0;

	for (size_t n = 0; i->listened && n < i->spec.permits.count && n < MEMORY_MOST; n++)
		listened |= (uint64_t)i->listened[n] << n;
	return listened;
}

void intercept_stop(struct intercept *i)
{
	if (!i->listened)
		return;
	door_close(&i->door);
	loop_io_close(&i->readable, &i->listener);
	catch_forget(i->catch);
	i->catch = NULL;
	free(i->listened);
	i->listened = NULL;
}
