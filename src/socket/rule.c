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

int rule_bind(const struct rule *rule, const struct rule_socket *first,
	      const struct rule_socket *second)
{
	const struct rule_row *row = &rule->rows[first->stage];
	unsigned both = first->options & second->options & row->shared;

	if (!claims_meet(&first->claim, &second->claim) ||
	    !devices_meet(first->device, second->device))
		return 0;
	if (first->uid != second->uid)
		both &= ~row->same_user;
	return both ? 0 : EADDRINUSE;
}
