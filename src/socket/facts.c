#include "socket/facts.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "base/owner.h"
#include "base/str.h"
#include "socket/rule.h"
#include "socket/unix_path.h"

static const struct sockaddr *sockaddr_of(const struct key *key)
{
	return (const struct sockaddr *)&key->address.sa;
}

void facts_begin(const struct attempt *a, struct facts *ret)
{
	*ret = (struct facts){
		.why = a->why, .family = a->key->family, .type = a->key->type,
		.port = address_port(&a->key->address), .sharing = a->sharing,
		.claim = claim_of(sockaddr_of(a->key), a->v6only), .first_free_port = 1024,
	};
}

static void see_holder(struct facts *f, const struct bound *b)
{
	unsigned n = f->holder_count++;

	if (n >= FACTS_HOLDERS)
		return;
	f->holders[n] = (struct holder){ .uid = b->uid, .inode = b->inode };
	f->listens[n] = b->state == TCP_LISTEN || f->type == SOCK_DGRAM;
	f->options[n] = -1;
}

static void see_left(struct left *l, const struct bound *b)
{
	l->count++;
	if (b->inode) {
		l->held++;
		if (!l->by.inode)
			l->by = (struct holder){ .uid = b->uid, .inode = b->inode };
	}
	if (b->ends_ms < 0)
		return;
	l->timed++;
	if (b->ends_ms > l->latest_ms)
		l->latest_ms = b->ends_ms;
}

bool facts_meet(const struct facts *f, const struct bound *b)
{
	bool ipv6 = b->local.ss_family == AF_INET6;
	struct rule_socket ours = { .claim = f->claim, .stage = RULE_LISTENING };
	struct rule_socket theirs = {
		.claim = claim_of((const struct sockaddr *)&b->local, b->v6only),
		.dual = ipv6 && !b->v6only,
		.stage = f->type == SOCK_DGRAM ? RULE_BOUND : rule_stage_of(b->state, !b->inode),
	};

	return rule_meet(&theirs, &ours);
}

void facts_see(struct facts *f, const struct bound *b)
{
	if (b->state <= 0 || b->state >= FACTS_STATES || !facts_meet(f, b))
		return;
	if (b->state == TCP_LISTEN || b->state == TCP_CLOSE || f->type == SOCK_DGRAM)
		see_holder(f, b);
	else
		see_left(&f->left[b->state], b);
}

static void see(const struct bound *b, void *ctx)
{
	facts_see(ctx, b);
}

static void gather_port(struct facts *f)
{
	int rc = platform_each_bound(f->port, f->type, see, f, NULL);

	f->seen = rc < 0 ? SEEN_NOTHING : rc == 0 ? SEEN_PART : SEEN_ALL;
	f->first_free_port = platform_first_free_port();
	f->ephemeral = platform_is_ephemeral(f->port);
}

static void gather_unix(const struct key *key, struct facts *f)
{
	struct str trouble = { 0 };
	int found = platform_find_listeners(sockaddr_of(key), key->address.length, key->type,
					    f->holders, FACTS_HOLDERS, NULL);

	f->seen = found < 0 ? SEEN_NOTHING : SEEN_ALL;
	f->holder_count = found > 0 ? (unsigned)found : 0;
	for (size_t i = 0; i < FACTS_HOLDERS; i++) {
		f->listens[i] = true;
		f->options[i] = -1;
	}
	if (!address_path(&key->address) || !f->why)
		return;
	f->no_socket = f->why == EADDRINUSE && !unix_path_note(key).inode;
	unix_path_explain(key, f->why, &trouble);
	(void)snprintf(f->path_trouble, sizeof(f->path_trouble), "%s", str_text(&trouble));
	str_fini(&trouble);
}

static const struct holder *known(const struct facts *before, unsigned long inode)
{
	if (!before)
		return NULL;
	for (size_t i = 0; i < FACTS_HOLDERS && i < before->holder_count; i++)
		if (before->holders[i].inode == inode && before->holders[i].pid)
			return &before->holders[i];
	for (size_t i = 0; i < FACTS_STATES; i++)
		if (before->left[i].by.inode == inode && before->left[i].by.pid)
			return &before->left[i].by;
	return NULL;
}

static void name_holders(struct facts *f, const struct facts *before, int ms)
{
	struct holder *all[FACTS_HOLDERS + FACTS_STATES], asked[COUNT(all)];
	size_t count = 0;

	for (size_t i = 0; i < FACTS_HOLDERS && i < f->holder_count; i++)
		all[count++] = &f->holders[i];
	for (size_t i = 0; i < FACTS_STATES; i++)
		if (f->left[i].by.inode)
			all[count++] = &f->left[i].by;
	for (size_t i = 0; i < count; i++) {
		const struct holder *was = known(before, all[i]->inode);

		asked[i] = was ? *was : *all[i];
	}
	platform_name_holders(asked, count, ms);
	for (size_t i = 0; i < count; i++)
		*all[i] = asked[i];
}

static void see_options(struct facts *f)
{
	bool address, port;

	for (size_t i = 0; i < FACTS_HOLDERS && i < f->holder_count; i++)
		if (f->holders[i].pid && platform_reuse_of(&f->holders[i], &address, &port) == 0)
			f->options[i] = (address ? REUSE_ADDRESS : 0) | (port ? REUSE_PORT : 0);
}

void facts_gather(const struct attempt *a, const struct facts *before, int ms,
		  struct facts *ret)
{
	struct facts f;

	facts_begin(a, &f);
	if (a->key->family == AF_UNIX)
		gather_unix(a->key, &f);
	else if (f.why == EADDRINUSE || f.why == EACCES || !f.why)
		gather_port(&f);
	if (f.why) {
		name_holders(&f, before, ms);
		see_options(&f);
	}
	*ret = f;
}
