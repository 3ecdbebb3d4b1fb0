/* What keeper and manager say to each other: messages of one size over a pair of
 * sockets that keeps their limits, most with a descriptor or none.
 *
 * Keeper and manager may be of different versions while one of them is replaced:
 * words are only ever added, keep their numbers, and one that is not known is
 * passed over. */
#ifndef HOLDPORT_KEEPER_CHANNEL_H
#define HOLDPORT_KEEPER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "platform/process.h"

/* K: the keeper says it, M: the manager. */
#define CHANNEL_WORDS(X)                                                               \
	X(SIGNAL, 1)	/* K: number came; TAKEN answers, or the manager counts as dead */ \
	X(TAKEN, 2)	/* M */                                                        \
	X(NOTIFY, 3)	/* M: text is for who is above us, a descriptor too; number is \
			 * for the answer; below 0: none is wanted unless that fails */ \
	X(NOTIFIED, 4)	/* K: number as asked; errno of sending it, in other */        \
	X(SETTLED, 5)	/* M: it has taken over what there was, and runs */            \
	X(HOLD, 6)	/* M: a descriptor, under this number, for text */             \
	X(DROP, 7)	/* M: what is under this number */                             \
	X(GIVE, 8)	/* K: as HOLD: to a new manager, before anything else */       \
	X(GIVEN, 9)	/* K: that was all; 1: an earlier manager had settled; other   \
			 * 1: the keeper is not the one that was started; text: why an \
			 * upgrade was rolled back */                                  \
	X(FOSTER, 10)	/* M: so many `pids` may become zombies of the keeper's; they  \
			 * are not to be taken away before REAP */                     \
	X(PEEK, 11)	/* M: has this process ended?  ENDED answers */                \
	X(ENDED, 12)	/* K: it has, and other says how (channel_end()); -1: it is    \
			 * not known; -2: not yet */                                   \
	X(REAP, 13)	/* M */                                                        \
	X(LEAVING, 14)	/* M: it ends, as it should, and everything with it */        \
	X(UPGRADE, 20)	/* M: it goes on with the image that comes with this, and      \
			 * settles within number ms; or else the old one is started */  \
	X(STAYED, 21)	/* M: it could not, and goes on as it was */                   \
	X(TAKE, 22)	/* M: it is that image, and is given what a new manager is     \
			 * given; where it has number descriptors, and that is all of   \
			 * them, GIVEN alone */                                        \
	X(GIVE_MANY, 23)	/* K: GIVE of so many `items`, each with a descriptor */

enum channel_word {
#define X(name, number) CHANNEL_##name = (number),
	CHANNEL_WORDS(X)
#undef X
};

enum { CHANNEL_VERSION = 1, CHANNEL_TEXT = 1000, CHANNEL_WHAT = 16 };
/* One that does not read for so long is stopped or lost. */
enum { CHANNEL_PATIENCE_MS = 2000 };
/* Numbers of descriptors are below. */
enum { CUSTODY_MOST = 1 << 20 };
enum { END_UNKNOWN = -1, END_NOT_YET = -2 };

/* A descriptor among many. */
struct channel_item {
	int32_t number;
	char what[CHANNEL_WHAT];
};
enum {
	CHANNEL_MANY = CHANNEL_TEXT / sizeof(struct channel_item),
	CHANNEL_PIDS = CHANNEL_TEXT / sizeof(int32_t),
};

struct channel_message {
	uint32_t version;		/* of the sender */
	uint32_t word;
	int64_t number, other;
	union {
		char text[CHANNEL_TEXT];	/* ends in a NUL byte */
		struct channel_item items[CHANNEL_MANY];
		int32_t pids[CHANNEL_PIDS];
	};
};

/* Descriptors on their way, each with its number; full at CHANNEL_MANY. */
struct channel_bundle {
	struct channel_item items[CHANNEL_MANY];
	int fds[CHANNEL_MANY];		/* borrowed */
	size_t count;
};

/* How a process ended, as one number, and back. */
int64_t channel_end(const struct process_end *end);
struct process_end channel_end_read(int64_t number);

/* Two ends, close-on-exec. */
int channel_open(int ret[2], struct err *err);
/* Borrows pass (-1: none).  Waits for a short while where the other side does not
 * read.  0; -1 and errno (EPIPE: nobody is there). */
int channel_send(int fd, enum channel_word word, int64_t number, int64_t other,
		 const char *text, int pass);
/* The same, but never waits: -1 and EAGAIN. */
int channel_send_at_once(int fd, enum channel_word word, int64_t number, const char *text,
			 int pass);
/* FOSTER; likewise. */
struct channel_pids {
	int32_t pids[CHANNEL_PIDS];
	size_t count;
};
int channel_send_pids(int fd, const struct channel_pids *p);
/* GIVE_MANY, and the bundle is empty again. */
int channel_send_bundle(int fd, struct channel_bundle *b);
/* Never waits.  1: *ret, and in *ret_pass a descriptor that the caller owns, or -1;
 * 0: nothing now; -1: nobody is there any more. */
int channel_receive(int fd, struct channel_message *ret, int *ret_pass);
/* The same, for whoever may be given many; all are the caller's. */
int channel_receive_many(int fd, struct channel_message *ret, int ret_fds[CHANNEL_MANY],
			 size_t *ret_count);

#endif
