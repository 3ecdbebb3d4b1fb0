/* Does a second bind pass, beside one socket that is there already?
 *
 * Decides; touches nothing.  Who asks has the facts: what is bound or connected
 * at the port (one struct rule_socket each), and what is to be bound.  A bind
 * passes if it passes beside every one of them.  What a system does is a table
 * (struct rule); that of Linux is what 6.18 was measured to do, cell by cell:
 * tests/unit/socket_rule.c, docs/platforms.md.
 *
 * Where an option of the other is not known (sock_diag does not show
 * SO_REUSEADDR), ask twice: with it and without it. */
#ifndef HOLDPORT_SOCKET_RULE_H
#define HOLDPORT_SOCKET_RULE_H

#include <stdbool.h>
#include <sys/types.h>

#include "platform/conflict.h"

enum {
	REUSE_ADDRESS = 1u << 0,	/* SO_REUSEADDR */
	REUSE_PORT = 1u << 1,		/* SO_REUSEPORT */
};

/* What a socket that has a port is doing there. */
enum rule_stage {
	RULE_BOUND,		/* neither listens nor is connected; all of UDP */
	RULE_LISTENING,
	RULE_CONNECTED,		/* SYN_RECV, ESTABLISHED … LAST_ACK */
	RULE_MINIMAL,		/* TIME_WAIT, and FIN_WAIT_2 without a descriptor: what
				 * is left of it has no owner any more */
	RULE_STAGES
};

struct rule_socket {
	struct claim claim;	/* by claim_of() of its *own* local address: what a
				 * listener of the wildcard accepted has one address */
	bool dual;		/* IPv6 without IPV6_V6ONLY: has it from its listener */
	unsigned options;	/* REUSE_ADDRESS | REUSE_PORT */
	uid_t uid;
	unsigned device;	/* SO_BINDTODEVICE; 0: any */
	enum rule_stage stage;	/* of the second: what it is about to become */
};

struct rule {
	const char *system;
	/* By stage of the first: an option that lets the second pass if both have
	 * it, and those of them that only help within one user. */
	struct rule_row {
		unsigned shared, same_user;
	} rows[RULE_STAGES];
};

extern const struct rule rule_linux;

/* From TCP's states (as in <netinet/tcp.h>); `orphan`: no descriptor is left. */
enum rule_stage rule_stage_of(int tcp_state, bool orphan);
/* Whether the address of the first is in the way of the second at all. */
bool rule_meet(const struct rule_socket *first, const struct rule_socket *second);
/* 0, or the errno that bind(2) and listen(2) of the second end with. */
int rule_bind(const struct rule *rule, const struct rule_socket *first,
	      const struct rule_socket *second);

#endif
