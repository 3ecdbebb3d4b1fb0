#include "socket/tune.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/owner.h"

/* An option that this system's headers do not know is an error where it is
 * asked for, and only there. */
#define ABSENT (-1)
#ifndef SO_BINDTODEVICE
#define SO_BINDTODEVICE ABSENT
#endif
#ifndef SO_MARK
#define SO_MARK ABSENT
#endif
#ifndef SO_PRIORITY
#define SO_PRIORITY ABSENT
#endif
#ifndef IP_FREEBIND
#define IP_FREEBIND ABSENT
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND ABSENT
#endif
#ifndef IP_TRANSPARENT
#define IP_TRANSPARENT ABSENT
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT ABSENT
#endif
#ifndef TCP_DEFER_ACCEPT
#define TCP_DEFER_ACCEPT ABSENT
#endif
#ifndef TCP_FASTOPEN
#define TCP_FASTOPEN ABSENT
#endif
#ifndef TCP_CONGESTION
#define TCP_CONGESTION ABSENT
#endif
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE ABSENT
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL ABSENT
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT ABSENT
#endif
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT ABSENT
#endif

/* What a socket is; a dual-stack one is ON_V4 and ON_V6. */
enum { ON_V4 = 1, ON_V6 = 2, ON_TCP = 4, ON_UNIX = 8, ON_IP = ON_V4 | ON_V6 };

enum unit { NUMBER, SECONDS /* kept in ms */, TEXT, BUFFER /* read back doubled */ };

static const struct row {
	const char *key;
	size_t offset;		/* in struct socket_settings: int64_t, or char * of TEXT */
	unsigned on;
	int level, option;
	enum unit unit;
	enum tune_when when;
	const char *needs;	/* a right, to be named where it is missing */
} rows[] = {
#define ROW(field, on, level, option, unit, when, ...) \
	{ #field, offsetof(struct socket_settings, field), on, level, option, unit, when, \
	  __VA_ARGS__ }
#define EARLY TUNE_BEFORE_BIND
#define LIVE  TUNE_LIVE
#define ADMIN "CAP_NET_ADMIN"
	/* clang-format off */
	ROW(free_bind,   ON_V4, IPPROTO_IP,   IP_FREEBIND,      NUMBER, EARLY, NULL),
	ROW(free_bind,   ON_V6, IPPROTO_IPV6, IPV6_FREEBIND,    NUMBER, EARLY, NULL),
	ROW(transparent, ON_V4, IPPROTO_IP,   IP_TRANSPARENT,   NUMBER, EARLY, ADMIN),
	ROW(transparent, ON_V6, IPPROTO_IPV6, IPV6_TRANSPARENT, NUMBER, EARLY, ADMIN),
	ROW(bind_device, ON_IP, SOL_SOCKET,   SO_BINDTODEVICE,  TEXT,   EARLY, "CAP_NET_RAW"),
	ROW(mark,        ON_IP, SOL_SOCKET,   SO_MARK,          NUMBER, LIVE,  ADMIN),
	/* IP_TOS changes SO_PRIORITY as well, so it comes first. */
	ROW(tos,         ON_V4, IPPROTO_IP,   IP_TOS,           NUMBER, LIVE,  NULL),
	ROW(tos,         ON_V6, IPPROTO_IPV6, IPV6_TCLASS,      NUMBER, LIVE,  NULL),
	ROW(priority,    ON_IP, SOL_SOCKET,   SO_PRIORITY,      NUMBER, LIVE,  ADMIN),
	ROW(no_delay,            ON_TCP, IPPROTO_TCP, TCP_NODELAY,      NUMBER,  LIVE, NULL),
	ROW(defer_accept,        ON_TCP, IPPROTO_TCP, TCP_DEFER_ACCEPT, SECONDS, LIVE, NULL),
	ROW(fast_open,           ON_TCP, IPPROTO_TCP, TCP_FASTOPEN,     NUMBER,  LIVE, NULL),
	ROW(congestion,          ON_TCP, IPPROTO_TCP, TCP_CONGESTION,   TEXT,    LIVE, ADMIN),
	ROW(keep_alive,          ON_TCP, SOL_SOCKET,  SO_KEEPALIVE,     NUMBER,  LIVE, NULL),
	ROW(keep_alive_idle,     ON_TCP, IPPROTO_TCP, TCP_KEEPIDLE,     SECONDS, LIVE, NULL),
	ROW(keep_alive_interval, ON_TCP, IPPROTO_TCP, TCP_KEEPINTVL,    SECONDS, LIVE, NULL),
	ROW(keep_alive_probes,   ON_TCP, IPPROTO_TCP, TCP_KEEPCNT,      NUMBER,  LIVE, NULL),
	ROW(user_timeout,        ON_TCP, IPPROTO_TCP, TCP_USER_TIMEOUT, NUMBER,  LIVE, NULL),
	ROW(receive_buffer, ON_IP | ON_UNIX, SOL_SOCKET, SO_RCVBUF,     BUFFER,  LIVE, NULL),
	ROW(send_buffer,    ON_IP | ON_UNIX, SOL_SOCKET, SO_SNDBUF,     BUFFER,  LIVE, NULL),
	/* clang-format on */
};

static const char *text_of(const struct row *r, const struct socket_settings *s)
{
	return *(char *const *)(const void *)((const char *)s + r->offset);
}

static int64_t number_of(const struct row *r, const struct socket_settings *s)
{
	return *(const int64_t *)(const void *)((const char *)s + r->offset);
}

static bool is_set(const struct row *r, const struct socket_settings *s)
{
	return r->unit == TEXT ? text_of(r, s) != NULL : number_of(r, s) != TUNE_UNSET;
}

/* Asked of the socket, not of the key: `any` may have fallen back to IPv4. */
static unsigned kind_of(int fd, const struct key *key)
{
	unsigned tcp = key->type == SOCK_STREAM ? ON_TCP : 0;
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(sa);
	int v6only = 0;

	(void)getsockname(fd, (struct sockaddr *)&sa, &length);
	if (sa.ss_family == AF_UNIX)
		return ON_UNIX;
	if (sa.ss_family == AF_INET)
		return ON_V4 | tcp;
	length = sizeof(v6only);
	(void)getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &length);
	return ON_V6 | tcp | (v6only ? 0 : ON_V4);
}

static int refused(const struct row *r, const char *value, int why, struct err *err)
{
	if (why == EPERM && r->needs)
		return err_sys(err, why, "%s: cannot be \"%s\" without %s", r->key, value,
			       r->needs);
	return err_sys(err, why, "%s: the system refuses \"%s\"", r->key, value);
}

static int set_text(int fd, const struct row *r, const char *text, struct err *err)
{
	if (setsockopt(fd, r->level, r->option, text, (socklen_t)strlen(text)) < 0)
		return refused(r, text, errno, err);
	return 0;
}

static int set_number(int fd, const struct row *r, int64_t number, struct err *err)
{
	int value = (int)(unsigned)(r->unit == SECONDS ? (number + 999) / 1000 : number);
	char text[24];

	if (setsockopt(fd, r->level, r->option, &value, sizeof(value)) == 0)
		return 0;
	(void)snprintf(text, sizeof(text), r->unit == SECONDS ? "%llds" : "%lld",
		       (long long)(r->unit == SECONDS ? value : number));
	return refused(r, text, errno, err);
}

static int apply(int fd, const struct row *r, const struct socket_settings *s, struct err *err)
{
	if (r->option == ABSENT)
		return err_set(err, ENOPROTOOPT, "%s: this system has no such option", r->key);
	return r->unit == TEXT ? set_text(fd, r, text_of(r, s), err) :
				 set_number(fd, r, number_of(r, s), err);
}

int tune_apply(int fd, const struct key *key, const struct socket_settings *s,
	       enum tune_when when, struct err *err)
{
	unsigned kind = kind_of(fd, key);

	for (const struct row *r = rows; r < rows + COUNT(rows); r++) {
		if (!(r->on & kind) || !is_set(r, s) || (when == TUNE_LIVE && r->when != TUNE_LIVE))
			continue;
		if (apply(fd, r, s, err))
			return -1;
	}
	return 0;
}

union value {
	int number;
	char text[64];
};

static int copy(int from, int to, const struct row *r, struct err *err)
{
	union value value = { 0 };
	socklen_t length = sizeof(value);

	if (getsockopt(from, r->level, r->option, &value, &length) < 0)
		return err_sys(err, errno, "%s: cannot learn the system's own value", r->key);
	if (r->unit == TEXT)
		return set_text(to, r, value.text, err);
	if (r->unit == BUFFER)		/* socket(7): read back doubled */
		value.number /= 2;
	if (setsockopt(to, r->level, r->option, &value, length) < 0)
		return err_sys(err, errno, "%s: the system refuses its own value", r->key);
	return 0;
}

int tune_reset(int fd, const struct key *key, const struct socket_settings *was,
	       const struct socket_settings *now, struct err *err)
{
	unsigned kind = kind_of(fd, key);
	int fresh = -1, rc = 0;

	for (const struct row *r = rows; r < rows + COUNT(rows) && !rc; r++) {
		if (!(r->on & kind) || r->when != TUNE_LIVE || !is_set(r, was) || is_set(r, now))
			continue;
		if (fresh < 0)
			fresh = socket(key->family, key->type | SOCK_CLOEXEC, key->protocol);
		rc = fresh < 0 ? err_sys(err, errno, "%s: cannot learn the system's own value",
					 r->key) : copy(fresh, fd, r, err);
	}
	fd_close(&fresh);
	return rc;
}

/* What one of them does not know is no difference. */
static bool same(int a, int b, const struct row *r)
{
	union value x = { 0 }, y = { 0 };
	socklen_t x_length = sizeof(x), y_length = sizeof(y);

	return getsockopt(a, r->level, r->option, &x, &x_length) < 0 ||
	       getsockopt(b, r->level, r->option, &y, &y_length) < 0 ||
	       memcmp(&x, &y, sizeof(x)) == 0;
}

void tune_follow(int held, int own, const struct key *key, const struct socket_settings *s,
		 struct str *ret_kept)
{
	unsigned kind = kind_of(held, key);

	for (const struct row *r = rows; r < rows + COUNT(rows); r++) {
		if (!(r->on & kind) || r->option == ABSENT || is_set(r, s) || same(held, own, r))
			continue;
		if (r->when != TUNE_LIVE || copy(own, held, r, NULL) < 0)
			str_addf(ret_kept, "%s%s", ret_kept->length ? ", " : "", r->key);
	}
}
