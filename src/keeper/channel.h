/* What keeper and manager say to each other: messages of one size over a pair of
 * sockets that keeps their limits, at most one descriptor with each.
 *
 * Keeper and manager may be of different versions while one of them is replaced:
 * words are only ever added, keep their numbers, and one that is not known is
 * passed over. */
#ifndef HOLDPORT_KEEPER_CHANNEL_H
#define HOLDPORT_KEEPER_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* K: the keeper says it, M: the manager. */
#define CHANNEL_WORDS(X)                                                               \
	X(SIGNAL, 1)	/* K: number came; TAKEN answers, or the manager counts as dead */ \
	X(TAKEN, 2)	/* M */                                                        \
	X(NOTIFY, 3)	/* M: text is for who is above us; number is for the answer */ \
	X(NOTIFIED, 4)	/* K: number as asked; errno of sending it, in other */        \
	X(SETTLED, 5)	/* M: it has taken over what there was, and runs */

enum channel_word {
#define X(name, number) CHANNEL_##name = (number),
	CHANNEL_WORDS(X)
#undef X
};

enum { CHANNEL_VERSION = 1, CHANNEL_TEXT = 1000 };

struct channel_message {
	uint32_t version;		/* of the sender */
	uint32_t word;
	int64_t number, other;
	char text[CHANNEL_TEXT];	/* ends in a NUL byte */
};

/* Two ends, close-on-exec. */
int channel_open(int ret[2], struct err *err);
/* Borrows pass (-1: none).  Waits for a short while where the other side does not
 * read.  0; -1 and errno (EPIPE: nobody is there). */
int channel_send(int fd, enum channel_word word, int64_t number, int64_t other,
		 const char *text, int pass);
/* Never waits.  1: *ret, and in *ret_pass a descriptor that the caller owns, or -1;
 * 0: nothing now; -1: nobody is there any more. */
int channel_receive(int fd, struct channel_message *ret, int *ret_pass);

#endif
