/* Something that is left at a port of our own, in a state that the kernel's tables
 * confirm.  Made and taken away again without any privilege. */
#ifndef HOLDPORT_MATRIX_LEFTOVER_H
#define HOLDPORT_MATRIX_LEFTOVER_H

#include "matrix/spot.h"

struct leftover {
	enum matrix_state state;
	struct matrix_socket first;
	int port;
	int listener, ours, peer;	/* ours: the end at the port, while it has a descriptor */
	int elsewhere[2];		/* listeners that a client at the port connects to */
	struct spot ours_at, peer_at;	/* of the connection */
};

/* 0, or -1 and why the state was not reached; leftover_end() either way. */
int leftover_make(struct leftover *l, enum matrix_state state, const struct matrix_socket *first,
		  struct err *err);
/* What a second socket meets: 0, an errno, or MATRIX_UNTESTED and the reason. */
int leftover_second(const struct leftover *l, const struct matrix_socket *second, struct err *err);
/* How many connections could not be taken away: they end within a minute. */
unsigned leftover_end(struct leftover *l, int most_ms);

#endif
