/* What stops a bind, and until when.
 *
 * Decides from facts and rule.h; touches nothing.  Whether the listener of what is left
 * behind had SO_REUSEADDR no table tells, but the bind does: where it fails without a
 * listener, it had not. */
#ifndef HOLDPORT_SOCKET_BLOCKER_H
#define HOLDPORT_SOCKET_BLOCKER_H

#include <stdbool.h>

#include "base/str.h"
#include "socket/facts.h"

/* How late the kernel may be with a timer of a minute (timer wheel: 2 s where it
 * ticks 250 times a second, 4.1 s at 1000, 5.2 s at 100). */
#define TIMER_LATE_MS 5200
#define TIME_WAIT_MS  60000

#define BLOCKER_KINDS(X)                             \
	X(LISTENER, "listener")                      \
	X(CONNECTION, "connection")                  \
	X(PRIVILEGE, "privilege")                    \
	X(NO_SUCH_ADDRESS, "no_such_address")        \
	X(PATH, "path")

enum blocker_kind {
#define X(name, word) BLOCKER_##name,
	BLOCKER_KINDS(X)
#undef X
};

const char *blocker_kind_word(enum blocker_kind kind);
/* "FIN_WAIT_2" of a state as in <netinet/tcp.h>; "BOUND" of TCP_CLOSE; NULL: none. */
const char *blocker_state_word(int state);

struct blocker {
	enum blocker_kind kind;
	int state;			/* of a socket; 0: does not apply */
	unsigned count;
	int options;			/* as in rule.h, of a holder's socket; -1: not visible */
	struct holder holder;		/* pid 0: not visible; inode 0: nobody has it open */
	int64_t after_ms, before_ms;	/* it ends then; -1: nobody knows */
};

struct judgement {
	enum { CAN_BIND, CANNOT_BIND, NOT_KNOWN } answer;
	struct blocker blockers[FACTS_HOLDERS + FACTS_STATES + 1];
	size_t count;
	/* When all of it is gone, from the moment of the look: not before after_ms (0:
	 * nothing is known) unless a peer resets its connection, and at before_ms at the
	 * latest (-1: nobody knows). */
	int64_t after_ms, before_ms;
	/* Nobody serves what is in the way: ending it would free the address. */
	bool endable;
	/* So would ending what somebody serves as well: it is connections alone. */
	bool forcible;
	/* Connections beside the listener may be in the way too, once that has gone; or
	 * of somebody who does not share. */
	bool maybe;
	/* What is in the way may go without news of it. */
	bool silent;
};

void blocker_judge(const struct facts *f, struct judgement *ret);
/* The same things are in the way as before; their number does not matter. */
bool blocker_same(const struct judgement *a, const struct judgement *b);

/* One sentence without a full stop about what is in the way at key:
 * "127.0.0.1:8080 is taken by a listener of nginx (pid 4711, user www-data)",
 * "… is taken by connections of an earlier listener that did not set SO_REUSEADDR (3
 * in TIME_WAIT)".  Where a holder is not visible (another user, another namespace) it
 * says so instead of guessing. */
void blocker_text(const struct key *key, const struct facts *f, const struct judgement *v,
		  struct str *ret);
/* "free in 3 to 66 s", "free in 12 s", "free in 3 s or later"; nothing where nobody knows.
 * age_ms: how long ago it was looked. */
void blocker_when(const struct judgement *v, int64_t age_ms, struct str *ret);
/* The user of a holder by name, or by number; NULL where that is not visible.  The
 * caller owns it. */
char *blocker_user(const struct holder *h);
/* One sentence about what would help; nothing where there is nothing to do. */
void blocker_advice(const struct key *key, const struct facts *f, const struct judgement *v,
		    struct str *ret);

#endif
