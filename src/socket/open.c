#include "socket/open.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"
#include "socket/tune.h"
#include "socket/unix_path.h"

bool socket_v6only(const struct key *key, const struct socket_settings *s)
{
	if (key->family != AF_INET6)
		return false;
	return s->ipv6_only == CHOICE_AUTO ? !key->address.any : s->ipv6_only == CHOICE_YES;
}

int socket_backlog(const struct socket_settings *s)
{
	char *text = s->backlog ? NULL : fd_read_file("/proc/sys/net/core/somaxconn", 64);
	int most = text ? atoi(text) : 0;

	free(text);
	return s->backlog ? (int)s->backlog : most > 0 ? most : SOMAXCONN;
}

static int lift(int fd)
{
	int lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	fd_close(&fd);
	return lifted;
}

/* Close-on-exec, and never where a worker expects stdin, stdout or stderr. */
static int make(const struct key *key, struct err *err)
{
	int fd = socket(key->family, key->type | SOCK_CLOEXEC, key->protocol), why = errno;

	if (fd >= 0 && fd < 3 && (fd = lift(fd)) < 0)
		why = errno;
	if (fd >= 0)
		return fd;
	if (key->protocol == IPPROTO_MPTCP && why != EMFILE && why != ENFILE && why != ENOBUFS)
		return err_sys(err, why, "mptcp: this system has no multipath TCP");
	return err_sys(err, why, "cannot make a socket");
}

static int switch_to(int fd, int option, int on, const char *name, struct err *err)
{
	if (setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)) < 0)
		return err_sys(err, errno, "cannot set %s", name);
	return 0;
}

static int switch_on(int fd, int option, const char *name, struct err *err)
{
	return switch_to(fd, option, 1, name, err);
}

bool socket_shares(const struct key *key, const struct socket_settings *s)
{
	return key->family != AF_UNIX && key->type != SOCK_DGRAM && s->exclusive != CHOICE_YES;
}

/* SO_REUSEADDR lets us bind beside what an earlier listener left, and is
 * inherited by what this one accepts, so that the next bind gets past it.  On a
 * datagram socket it would let anybody take our datagrams instead. */
static int share(int fd, const struct key *key, const struct socket_settings *s, struct err *err)
{
	if (key->family == AF_UNIX || s->exclusive == CHOICE_YES)
		return 0;
	if (socket_shares(key, s) && switch_on(fd, SO_REUSEADDR, "SO_REUSEADDR", err))
		return -1;
	if (!s->reuse_port && s->exclusive != CHOICE_NO)
		return 0;
	return switch_on(fd, SO_REUSEPORT, "SO_REUSEPORT", err);
}

int socket_set_owner(int fd, const struct socket_settings *s, struct err *err)
{
	struct stat st;

	if (!s->reuse_port || s->worker_uid == (uid_t)-1 ||
	    (fstat(fd, &st) == 0 && st.st_uid == s->worker_uid))
		return 0;
	if (platform_socket_owner(fd, s->worker_uid) < 0)
		return err_sys(err, errno, "reuse_port: cannot give the socket to the program's "
			       "user (%lu)", (unsigned long)s->worker_uid);
	return 0;
}

/* Always said: net.ipv6.bindv6only must not decide what a configuration means. */
static int set_v6only(int fd, const struct key *key, const struct socket_settings *s,
		      struct err *err)
{
	int only = socket_v6only(key, s);

	if (key->family != AF_INET6)
		return 0;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
		return err_sys(err, errno, "ipv6_only: cannot be \"%s\"", only ? "yes" : "no");
	return 0;
}

static int set_blocking(int fd, const struct socket_settings *s, struct err *err)
{
	if (s->non_blocking == CHOICE_AUTO)
		return 0;
	if (fd_non_blocking(fd, s->non_blocking == CHOICE_YES) < 0)
		return err_sys(err, errno, "non_blocking: cannot be changed");
	return 0;
}

static int bind_path(int fd, const struct key *key, const struct socket_settings *s,
		     struct err *err)
{
	struct err why = { 0 };

	if (unix_path_bind(fd, key, s, &why) == 0)
		return 0;
	if (why.code == EADDRINUSE) {
		if (unix_path_clear(key, err))
			return -1;
		return unix_path_bind(fd, key, s, err);
	}
	return err_set(err, why.code, "%s", why.text);
}

static int bind_to(int fd, const struct key *key, const struct socket_settings *s, struct err *err)
{
	char text[ADDRESS_TEXT_SIZE];

	if (address_path(&key->address))
		return bind_path(fd, key, s, err);
	if (platform_bind(fd, (const struct sockaddr *)&key->address.sa, key->address.length) < 0)
		return err_sys(err, errno, "cannot bind %s", address_text(&key->address, text));
	return 0;
}

static int listen_on(int fd, const struct key *key, const struct socket_settings *s,
		     struct err *err)
{
	char text[ADDRESS_TEXT_SIZE];

	if (key->type == SOCK_DGRAM)
		return 0;
	if (platform_listen(fd, socket_backlog(s)) < 0)
		return err_sys(err, errno, "cannot listen on %s",
			       address_text(&key->address, text));
	return 0;
}

static bool reuses_for_a_moment(const struct key *key, const struct socket_settings *s,
				const struct beside *beside)
{
	return beside && s->exclusive == CHOICE_YES && key->type != SOCK_DGRAM;
}

/* What the one beside it has accepted does not share: the bind gets past that by
 * SO_REUSEADDR only, which one that is to be exclusive has for this moment. */
static int set_beside(int fd, const struct key *key, const struct socket_settings *s,
		      const struct beside *beside, struct err *err)
{
	if (!beside)
		return 0;
	if (beside->owner != geteuid() && fchown(fd, beside->owner, (gid_t)-1) < 0)
		return err_sys(err, errno, "the held socket is of another user (%ld)",
			       (long)beside->owner);
	if (platform_share(fd, true, err) < 0)
		return -1;
	return reuses_for_a_moment(key, s, beside)
		       ? switch_on(fd, SO_REUSEADDR, "SO_REUSEADDR", err) : 0;
}

/* Nothing comes to it before listen(2); and of a deaf one bind(2) would refuse a
 * specific IPv6 address (ENODEV). */
static int bind_deaf(int fd, const struct key *key, const struct socket_settings *s,
		     const struct beside *beside, struct err *err)
{
	if (bind_to(fd, key, s, err))
		return -1;
	return beside && beside->deaf ? platform_deafen(fd, beside->number, err) : 0;
}

static int open_one(const struct key *key, const struct socket_settings *s,
		    const struct beside *beside, struct err *err)
{
	struct unix_path made = { .inode = 0 };
	int fd = make(key, err);

	if (fd < 0)
		return -1;
	if (share(fd, key, s, err) || socket_set_owner(fd, s, err) || set_v6only(fd, key, s, err) ||
	    tune_apply(fd, key, s, TUNE_BEFORE_BIND, err) || set_blocking(fd, s, err) ||
	    set_beside(fd, key, s, beside, err) ||
	    bind_deaf(fd, key, s, beside, err))
		goto fail;
	made = unix_path_note(key);
	if (listen_on(fd, key, s, err) ||
	    (reuses_for_a_moment(key, s, beside) &&
	     switch_to(fd, SO_REUSEADDR, 0, "SO_REUSEADDR", err)))
		goto fail;
	return fd;
fail:
	unix_path_remove(key, &made);
	fd_close(&fd);
	return -1;
}

static struct key without_ipv6(const struct key *key)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)address_port(&key->address)) };
	struct key v4 = *key;

	v4.family = AF_INET;
	v4.address.length = sizeof(any);
	memset(&v4.address.sa, 0, sizeof(v4.address.sa));
	memcpy(&v4.address.sa, &any, sizeof(any));
	return v4;
}

static int open_any(const struct key *key, const struct socket_settings *s,
		    const struct beside *beside, struct err *err)
{
	struct err why = { 0 };
	int fd = open_one(key, s, beside, &why);

	if (fd >= 0)
		return fd;
	if ((why.code == EAFNOSUPPORT || why.code == EADDRNOTAVAIL) && key->address.any &&
	    key->family == AF_INET6 && s->ipv6_only != CHOICE_YES) {
		struct key v4 = without_ipv6(key);

		return open_one(&v4, s, beside, err);
	}
	return err_set(err, why.code, "%s", why.text);
}

int socket_open(const struct key *key, const struct socket_settings *s, struct err *err)
{
	return open_any(key, s, NULL, err);
}

int socket_open_beside(const struct key *key, const struct socket_settings *s,
		       const struct beside *beside, struct err *err)
{
	return open_any(key, s, beside, err);
}

/* The worker's SO_REUSEPORT would let everybody of its user bind beside us. */
static int take_alone(int fd, struct err *err)
{
	int off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &off, sizeof(off)) < 0)
		return err_sys(err, errno, "cannot clear SO_REUSEPORT");
	return 0;
}

int socket_bind_own(int fd, const struct key *key, const struct socket_settings *s,
		    struct err *err)
{
	struct unix_path made;

	if ((key->family != AF_UNIX && take_alone(fd, err)) || share(fd, key, s, err) ||
	    tune_apply(fd, key, s, TUNE_BEFORE_BIND, err) || set_blocking(fd, s, err) ||
	    bind_to(fd, key, s, err))
		return -1;
	made = unix_path_note(key);
	if (listen_on(fd, key, s, err) == 0)
		return 0;
	unix_path_remove(key, &made);
	return -1;
}

bool socket_is_v6only(int fd)
{
	socklen_t length = sizeof(int);
	int only = 0;

	(void)getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length);
	return only;
}

int socket_retune(int fd, const struct key *key, const struct socket_settings *s, struct err *err)
{
	if (tune_apply(fd, key, s, TUNE_LIVE, err) || set_blocking(fd, s, err) ||
	    unix_path_retune(key, s, err))
		return -1;
	return listen_on(fd, key, s, err);
}

static int same_v6only(int fd, const struct key *key, const struct socket_settings *s,
		       struct err *err)
{
	socklen_t length = sizeof(int);
	int only = 0;

	if (key->family != AF_INET6)
		return 0;
	/* Where it fails it is 0.0.0.0, taken for `any`. */
	if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length) < 0)
		return 0;
	if (!only != !socket_v6only(key, s))
		return err_set(err, 0, "ipv6_only: it was bound with \"%s\"", only ? "yes" : "no");
	return 0;
}

/* The first of a group may have been bound alone: it is in the group from the moment
 * that the next one comes. */
static int join_group(int fd, const struct socket_settings *s, struct err *err)
{
	if (s->reuse_port && switch_on(fd, SO_REUSEPORT, "SO_REUSEPORT", err))
		return -1;
	return socket_set_owner(fd, s, err);
}

int socket_take(int fd, const struct key *key, const struct socket_settings *s, struct err *err)
{
	if (join_group(fd, s, err) || listen_on(fd, key, s, err) ||
	    tune_apply(fd, key, s, TUNE_LIVE, err) || set_blocking(fd, s, err))
		return -1;
	return same_v6only(fd, key, s, err);
}

/* Measured on 6.18: with SO_REUSEADDR a stranger's bind(2) and listen(2) go
 * through as soon as ours does not listen; without it they are EADDRINUSE. */
void socket_refuse(int fd, const struct key *key)
{
	int off = 0;

	if (key->family != AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off));
	(void)shutdown(fd, SHUT_RD);	/* ENOTCONN: it does not listen already */
}

int socket_relisten(int fd, const struct key *key, const struct socket_settings *s,
		    struct err *err)
{
	if (s->exclusive != CHOICE_YES && switch_on(fd, SO_REUSEADDR, "SO_REUSEADDR", err))
		return -1;
	return listen_on(fd, key, s, err);
}
