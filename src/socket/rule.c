#include "socket/rule.h"

#include <errno.h>
#include <netinet/tcp.h>

const struct rule rule_linux = {
	.system = "Linux",
	.rows = {
		[RULE_BOUND]     = { REUSE_ADDRESS | REUSE_PORT, .same_user = REUSE_PORT },
		[RULE_LISTENING] = { REUSE_PORT,                 .same_user = REUSE_PORT },
		[RULE_CONNECTED] = { REUSE_ADDRESS | REUSE_PORT, .same_user = REUSE_PORT },
		[RULE_MINIMAL]   = { REUSE_ADDRESS | REUSE_PORT },
	},
};

enum rule_stage rule_stage_of(int tcp_state, bool orphan)
{
	switch (tcp_state) {
	case TCP_CLOSE:
		return RULE_BOUND;
	case TCP_LISTEN:
		return RULE_LISTENING;
	case TCP_TIME_WAIT:
		return RULE_MINIMAL;
	case TCP_FIN_WAIT2:
		return orphan ? RULE_MINIMAL : RULE_CONNECTED;
	default:
		return RULE_CONNECTED;
	}
}

static bool devices_meet(unsigned a, unsigned b)
{
	return !a || !b || a == b;
}

/* What a dual-stack listener accepted over IPv6 is in the way of IPv4's wildcard as well,
 * though not of one address (measured on Linux 6.18): it is not marked IPv6-only, as
 * what was bound to its address would be. */
static bool meets_wildcard(const struct rule_socket *first, const struct rule_socket *second)
{
	return first->dual && second->claim.v4 == CLAIM_ALL &&
	       (first->stage == RULE_CONNECTED || first->stage == RULE_MINIMAL);
}

bool rule_meet(const struct rule_socket *first, const struct rule_socket *second)
{
	return claims_meet(&first->claim, &second->claim) || meets_wildcard(first, second);
}

int rule_bind(const struct rule *rule, const struct rule_socket *first,
	      const struct rule_socket *second)
{
	const struct rule_row *row = &rule->rows[first->stage];
	unsigned both = first->options & second->options & row->shared;

	if (!rule_meet(first, second) || !devices_meet(first->device, second->device))
		return 0;
	if (first->uid != second->uid)
		both &= ~row->same_user;
	return both ? 0 : EADDRINUSE;
}
