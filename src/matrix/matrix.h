/* What this system does with a second bind, found out by doing it.
 *
 * Something is left at a port of loopback: a listener, or a connection whose
 * listener is closed, in each state of TCP.  Then a second socket binds and
 * listens there, with each option, at each address, in each family.  Needs no
 * privilege; every port is one that nobody has; what was made is taken away
 * again.  Blocks for a second or so.
 *
 * A result is what the kernel said while the kernel's own tables showed the
 * state that the cell names, before and after.  Where a state could not be made
 * the cell says so, with the reason: nothing here is guessed.  The guess is
 * matrix_expected(), and the two can be compared. */
#ifndef HOLDPORT_MATRIX_MATRIX_H
#define HOLDPORT_MATRIX_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum matrix_kind {
	MATRIX_IPV4,
	MATRIX_IPV6,			/* IPV6_V6ONLY */
	MATRIX_DUAL,			/* IPv6 without; its addresses are mapped IPv4 ones */
	MATRIX_KINDS
};

enum matrix_address {
	MATRIX_WILDCARD,
	MATRIX_SPECIFIC,
	MATRIX_OTHER,			/* another specific one; only for the second */
	MATRIX_ADDRESSES
};

/* What is left at the port.  The last two are the rules for clients: a connection
 * from that port, while a second socket binds it and connects to another place or
 * to the same. */
#define MATRIX_STATE_LIST(X)                                   \
	X(LISTEN,             "LISTEN")                        \
	X(ESTABLISHED_LISTEN, "ESTABLISHED+LISTEN")            \
	X(ESTABLISHED,        "ESTABLISHED")                   \
	X(CLOSE_WAIT,         "CLOSE_WAIT")                    \
	X(FIN_WAIT_1,         "FIN_WAIT_1")                    \
	X(FIN_WAIT_2,         "FIN_WAIT_2")                    \
	X(CLOSING,            "CLOSING")                       \
	X(LAST_ACK,           "LAST_ACK")                      \
	X(TIME_WAIT,          "TIME_WAIT")                     \
	X(CONNECTED,          "CONNECTED")                     \
	X(CONNECTED_SAME,     "CONNECTED_SAME")

enum matrix_state {
#define X(name, word) MATRIX_##name,
	MATRIX_STATE_LIST(X)
#undef X
	MATRIX_STATES
};

/* Sets of socket options, by their place in a table; the last exists on Windows. */
#ifdef SO_EXCLUSIVEADDRUSE
#define MATRIX_OPTION_SETS 5
#else
#define MATRIX_OPTION_SETS 4
#endif

struct matrix_socket {
	enum matrix_kind kind;
	enum matrix_address address;
	unsigned options;		/* < MATRIX_OPTION_SETS */
};

struct matrix_cell {
	enum matrix_state state;
	struct matrix_socket first, second;
	int result;			/* 0, an errno, or MATRIX_UNTESTED */
	const char *reason;		/* where it is untested; borrowed */
};

enum { MATRIX_UNTESTED = -1 };

struct matrix;

/* Told before each leftover is made; false: enough, the rest stays untested. */
typedef bool matrix_progress(enum matrix_state state, const struct matrix_socket *first,
			     size_t done, size_t all, void *ctx);

struct matrix *matrix_run(matrix_progress *progress, void *ctx);
void matrix_free(struct matrix *m);
size_t matrix_left_behind(const struct matrix *m);	/* connections, for a minute at most */

/* The cells in the order of print: by families, addresses, state, options.  Starts
 * with *at = 0; false after the last. */
bool matrix_next(const struct matrix *m, size_t *at, struct matrix_cell *ret);
/* What socket/rule.h says of the same cell. */
int matrix_expected(const struct matrix_cell *cell);

bool matrix_is_client(enum matrix_state state);
/* "ipv4", or "ipv4/dual-stack" where the second is of another family. */
const char *matrix_family_word(enum matrix_kind first, enum matrix_kind second);
const char *matrix_address_word(enum matrix_address address);	/* "wildcard" */
const char *matrix_state_word(enum matrix_state state);
const char *matrix_options_word(unsigned options);	/* "SO_REUSEADDR+SO_REUSEPORT" */
const char *matrix_options_short(unsigned options);	/* "AP" */
#define MATRIX_RESULT_SIZE 24
/* "ok", "EADDRINUSE"; NULL where it is untested. */
const char *matrix_result_word(int result, char buf[MATRIX_RESULT_SIZE]);

#endif
