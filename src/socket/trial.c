#include "socket/trial.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"
#include "socket/unix_path.h"

#define NAMING_MS 1000		/* somebody asked, and waits for the answer */

int trial_address(const char *text, int type, struct key *ret, struct err *err)
{
	struct address a;

	if (address_parse(text, &a, err))
		return -1;
	if (type == SOCK_SEQPACKET && a.sa.ss_family != AF_UNIX)
		return err_set(err, 0, "%s: only a unix socket can be of seqpacket type", text);
	key_make(&a, type, 0, ret);
	return 0;
}

static int bind_once(const struct key *key, const struct sockaddr *sa, socklen_t length)
{
	int fd = socket(sa->sa_family, key->type | SOCK_CLOEXEC, key->protocol), why = errno, on = 1;
	int only = !key->address.any;

	if (fd < 0)
		return why;
	if (sa->sa_family != AF_UNIX && key->type != SOCK_DGRAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	why = platform_bind(fd, sa, length) < 0 ? errno : 0;
	fd_close(&fd);
	return why;
}

/* As socket_open() does: *:PORT is 0.0.0.0 where there is no IPv6. */
static int bind_port(const struct key *key)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)address_port(&key->address)) };
	int why = bind_once(key, (const struct sockaddr *)&key->address.sa, key->address.length);

	if ((why == EAFNOSUPPORT || why == EADDRNOTAVAIL) && key->address.any)
		why = bind_once(key, (struct sockaddr *)&any, sizeof(any));
	return why;
}

struct attempt trial_try(const struct key *key)
{
	return (struct attempt){
		.key = key, .v6only = !key->address.any,
		.sharing = key->family != AF_UNIX && key->type != SOCK_DGRAM,
		.why = address_path(&key->address) ? unix_path_try(key) : bind_port(key),
	};
}

void trial_judge(const struct attempt *a, struct trial *ret)
{
	ret->key = *a->key;
	facts_gather(a, NULL, NAMING_MS, &ret->facts);
	blocker_judge(&ret->facts, &ret->judgement);
}

void trial_make(const struct key *key, struct trial *ret)
{
	struct attempt a = trial_try(key);

	trial_judge(&a, ret);
}

const char *trial_options(const struct blocker *b)
{
	static const char *const words[] = { "none", "SO_REUSEADDR", "SO_REUSEPORT",
					     "SO_REUSEADDR+SO_REUSEPORT" };

	return b->options < 0 ? NULL : words[b->options];
}

void trial_text(const struct trial *t, struct str *ret)
{
	blocker_text(&t->key, &t->facts, &t->judgement, ret);
}

void trial_when(const struct trial *t, struct str *ret)
{
	blocker_when(&t->judgement, 0, ret);
}

void trial_advice(const struct trial *t, struct str *ret)
{
	blocker_advice(&t->key, &t->facts, &t->judgement, ret);
}
