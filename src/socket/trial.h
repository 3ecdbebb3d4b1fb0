/* Can this address be bound now?  Tried with the options that holdport binds with, and
 * explained; or waited for.  Needs no supervisor.
 *
 * A trial of an address of the network is a bind(2) that is taken back at once, and
 * listens at nothing; of a unix path it is a look, for a bind would leave a file. */
#ifndef HOLDPORT_SOCKET_TRIAL_H
#define HOLDPORT_SOCKET_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "socket/blocker.h"

struct trial {
	struct key key;
	struct facts facts;
	struct judgement judgement;
};

/* type: SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET.  -1: it is no address. */
int trial_address(const char *text, int type, struct key *ret, struct err *err);
/* Tried, and not looked at: its `why` is 0 if it can be bound. */
struct attempt trial_try(const struct key *key);
/* Looked at: what is in the way, with a walk over all processes. */
void trial_judge(const struct attempt *a, struct trial *ret);
void trial_make(const struct key *key, struct trial *ret);	/* both */
/* What is known of it, in a sentence; when it will be free; what would help. */
void trial_text(const struct trial *t, struct str *ret);
void trial_when(const struct trial *t, struct str *ret);
void trial_advice(const struct trial *t, struct str *ret);

/* What the socket in the way has set, "SO_REUSEADDR+SO_REUSEPORT"; NULL: not visible. */
const char *trial_options(const struct blocker *b);

enum waited { WAITED_FREE, WAITED_TIMEOUT, WAITED_FORBIDDEN, WAITED_FAILED };

struct wait_for {
	struct key key;
	int64_t timeout;	/* ms; -1: none */
	bool reset;		/* when it is over (at once, if there is none): end what is left */
	bool served;		/* also what a process has open */
	int64_t show_every;	/* ms; 0: only when something else is in the way */
	void (*show)(const struct trial *t, void *ctx);
	void *ctx;
	int ended;		/* out: how many connections */
};

/* Until it can be bound.  What went wrong is in err, but for WAITED_FREE. */
enum waited trial_wait(struct wait_for *w, struct err *err);

#endif
