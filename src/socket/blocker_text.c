/* What blocker.h judged, in words. */
#include <errno.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/owner.h"
#include "socket/blocker.h"
#include "socket/unix_path.h"

static bool name_of(uid_t uid, struct str *ret)
{
	struct passwd entry, *found = NULL;
	char room[4096];

	if (getpwuid_r(uid, &entry, room, sizeof(room), &found) == 0 && found)
		str_add(ret, found->pw_name);
	else
		str_addf(ret, "%lu", (unsigned long)uid);
	return found;
}

static void add_user(struct str *ret, uid_t uid)
{
	struct str name = { 0 };

	if (uid == (uid_t)-1)
		return;
	str_add(ret, name_of(uid, &name) ? "user " : "uid ");
	str_add(ret, str_text(&name));
	str_fini(&name);
}

char *blocker_user(const struct holder *h)
{
	struct str name = { 0 };

	if (!h->inode || h->uid == (uid_t)-1)
		return NULL;
	(void)name_of(h->uid, &name);
	return str_take(&name);
}

static void add_holder(struct str *ret, const struct holder *h)
{
	if (h->pid == getpid()) {
		str_add(ret, "this supervisor");
		return;
	}
	if (!h->pid) {
		str_add(ret, h->late ? "a process that was not found among so many in time" :
				       "a process that is not visible from here");
		if (h->uid != (uid_t)-1) {
			str_add(ret, " (");
			add_user(ret, h->uid);
			str_add(ret, ")");
		}
		return;
	}
	str_add_escaped(ret, h->program, strlen(h->program));
	str_addf(ret, "%s(pid %ld", *h->program ? " " : "a process ", (long)h->pid);
	if (h->uid != (uid_t)-1) {
		str_add(ret, ", ");
		add_user(ret, h->uid);
	}
	str_add(ret, ")");
}

/* Slots of a group are several sockets of one process: said once. */
static bool told_before(const struct judgement *v, size_t i)
{
	const struct blocker *b = v->blockers;

	for (size_t k = 0; k < i; k++)
		if (b[k].kind == BLOCKER_LISTENER && b[k].holder.pid == b[i].holder.pid &&
		    b[k].holder.uid == b[i].holder.uid)
			return true;
	return false;
}

static const char *socket_word(const struct facts *f, const struct blocker *b)
{
	if (b->state == TCP_CLOSE)
		return "socket that is bound and does not listen,";
	return f->type == SOCK_DGRAM ? "socket" : "listener";
}

static void add_listeners(const struct facts *f, const struct judgement *v, struct str *ret)
{
	const char *before = "";

	for (size_t i = 0; i < v->count; i++) {
		const struct blocker *b = &v->blockers[i];

		if (b->kind != BLOCKER_LISTENER || told_before(v, i))
			continue;
		if (*before)
			str_add(ret, before);
		else
			str_addf(ret, "a %s of ", socket_word(f, b));
		add_holder(ret, &b->holder);
		before = " and ";
	}
}

static void add_connections(const struct judgement *v, struct str *ret)
{
	const char *between = "";

	for (size_t i = 0; i < v->count; i++) {
		const struct blocker *b = &v->blockers[i];

		if (b->kind != BLOCKER_CONNECTION)
			continue;
		str_addf(ret, "%s%u in %s", between, b->count, blocker_state_word(b->state));
		if (b->holder.inode) {
			str_add(ret, " at ");
			add_holder(ret, &b->holder);
		}
		between = ", ";
	}
}

static bool has(const struct judgement *v, enum blocker_kind kind)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->blockers[i].kind == kind)
			return true;
	return false;
}

/* From /proc/net, where sock_diag is not to be had. */
static void add_unknown(const struct facts *f, struct str *ret)
{
	if (f->family == AF_UNIX || f->seen == SEEN_ALL)
		return;
	str_add(ret, f->seen == SEEN_PART ? "; without sock_diag, sockets that are only bound "
					    "there are not known" :
					    "; this system does not tell what is there");
}

static void add_taken(const char *text, const struct facts *f, const struct judgement *v,
		      struct str *ret)
{
	if (has(v, BLOCKER_LISTENER)) {
		str_addf(ret, "%s is taken by ", text);
		add_listeners(f, v, ret);
	} else if (has(v, BLOCKER_CONNECTION)) {
		str_addf(ret, "%s is taken by connections of an earlier listener that did not "
			 "set SO_REUSEADDR (", text);
		add_connections(v, ret);
		str_add(ret, ")");
	} else if (f->path_trouble[0]) {
		str_add(ret, f->path_trouble);
	} else {
		str_addf(ret, "%s is taken by a socket that %sis not visible from here", text,
			 f->type == SOCK_DGRAM ? "" : "does not listen, or that ");
	}
	add_unknown(f, ret);
}

static void add_forbidden(const char *text, const struct facts *f, struct str *ret)
{
	if (f->path_trouble[0])
		str_add(ret, f->path_trouble);
	else if (f->why == EACCES && f->port >= 0 && f->port < f->first_free_port)
		str_addf(ret, "%s: port %d needs root or CAP_NET_BIND_SERVICE", text, f->port);
	else
		str_addf(ret, "%s: the system does not permit to bind it: %s", text,
			 strerror(f->why));
}

void blocker_text(const struct key *key, const struct facts *f, const struct judgement *v,
		  struct str *ret)
{
	char text[ADDRESS_TEXT_SIZE];

	address_text(&key->address, text);
	if (!f->why)
		str_addf(ret, "%s can be bound", text);
	else if (f->why == EADDRINUSE)
		add_taken(text, f, v, ret);
	else if (f->path_trouble[0])
		str_add(ret, f->path_trouble);
	else if (f->why == EADDRNOTAVAIL)
		str_addf(ret, "%s: this address is not on this host", text);
	else if (f->why == EACCES || f->why == EPERM)
		add_forbidden(text, f, ret);
	else
		str_addf(ret, "cannot bind %s: %s", text, strerror(f->why));
}

/* Rounded away from each other: an interval that is too narrow is a lie. */
void blocker_when(const struct judgement *v, int64_t age_ms, struct str *ret)
{
	long long after = (long long)(v->after_ms - age_ms) / 1000;
	long long before = (long long)(v->before_ms - age_ms + 999) / 1000;

	if (v->answer != CANNOT_BIND || (v->after_ms <= 0 && v->before_ms < 0))
		return;
	after = after < 0 ? 0 : after;
	before = before < 0 ? 0 : before;
	if (v->before_ms < 0)
		str_addf(ret, "not free for %lld s at least", after);
	else
		str_addf(ret, "free in %lld to %lld s", after, before);
}

static void advise_connections(const struct key *key, const struct facts *f,
			       const struct judgement *v, struct str *ret)
{
	char text[ADDRESS_TEXT_SIZE];

	address_text(&key->address, text);
	if (!f->sharing)
		str_add(ret, "a bind with SO_REUSEADDR may get past them; ");
	if (!v->endable)
		str_addf(ret, "end the processes that have these connections open, or only the "
			 "connections by \"holdport drain %s --reset --served\"", text);
	else if (v->before_ms >= 0)
		str_addf(ret, "wait, or end them by \"holdport drain %s --reset\" "
			 "(when_busy = reset)", text);
	else
		str_addf(ret, "they may stay for ever: end them by \"holdport drain %s "
			 "--reset\" (when_busy = reset)", text);
	if (f->ephemeral)
		str_addf(ret, "; outgoing connections may be given port %d: put it into "
			 "net.ipv4.ip_local_reserved_ports", f->port);
}

static void advise_listener(const struct judgement *v, struct str *ret)
{
	str_add(ret, "stop the process that has it, or choose another port");
	if (has(v, BLOCKER_CONNECTION))
		str_add(ret, "; it did not set SO_REUSEADDR, so its connections are in the way "
			"after it");
	else if (v->maybe)
		str_add(ret, "; if it did not set SO_REUSEADDR, its connections are in the way "
			"after it");
}

void blocker_advice(const struct key *key, const struct facts *f, const struct judgement *v,
		    struct str *ret)
{
	bool path = address_path(&key->address);

	if (v->answer == CAN_BIND && v->maybe)
		str_add(ret, "a server that does not set SO_REUSEADDR could not: connections are "
			"left at the port");
	else if (v->answer == CAN_BIND || path)
		return;
	else if (f->why == EADDRINUSE && has(v, BLOCKER_LISTENER))
		advise_listener(v, ret);
	else if (f->why == EADDRINUSE && has(v, BLOCKER_CONNECTION))
		advise_connections(key, f, v, ret);
	else if (f->why == EADDRINUSE)
		str_add(ret, "look as root: the holders of other users are not shown to you");
	else if (f->why == EADDRNOTAVAIL)
		str_add(ret, "give a network interface this address, or set free_bind = yes");
	else if (f->why == EACCES && f->port >= 0 && f->port < f->first_free_port)
		str_addf(ret, "run as root, give CAP_NET_BIND_SERVICE, or set "
			 "net.ipv4.ip_unprivileged_port_start to %d or less", f->port);
}
