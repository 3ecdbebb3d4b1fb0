/* A worker's bind(2), before anything is done about it.  Decides; touches nothing.
 *
 * The addresses of a program's sockets are permissions.  What is held under one of
 * them is handed out for a bind of exactly the same: same address, family, type,
 * reach (IPv6 alone or both).  Never a socket of another family, for accept(2)
 * would tell the worker addresses that it cannot read.  What is not held yet, and
 * is covered by a permission, is bound and held.  What another program has, or is
 * to have, is refused; all else is none of our business. */
#ifndef HOLDPORT_INTERCEPT_DECIDE_H
#define HOLDPORT_INTERCEPT_DECIDE_H

#include "socket/store.h"

struct asked {
	struct key key;
	bool v6only;
};

struct permits {
	struct held *const *items;	/* what the program declares */
	size_t count;
};

enum bind_answer {
	BIND_LET,	/* held: NULL, or a permission that it goes beyond */
	BIND_HAND,	/* held: what it gets */
	BIND_MAKE,	/* held: the permission that covers it */
	BIND_REFUSE,	/* held: what is in the way */
};

struct decision {
	enum bind_answer answer;
	struct held *held;
};

struct decision decide_bind(struct store *store, const struct permits *permits,
			    const struct asked *asked);
/* The held one of these permissions with this inode, or NULL. */
struct held *decide_which(struct store *store, const struct permits *permits,
			  unsigned long inode);
/* Which permission stands behind it; -1: none. */
int decide_permit(const struct permits *permits, struct held *h);

#endif
