/* The last that each worker said, in memory that the process that writes and the
 * manager both have: so that a failure can name its last lines whatever the disk does.
 *
 * One writes, the other looks.  `turn` is odd while what is in the ring is in the pipe
 * as well. */
#ifndef HOLDPORT_LOGS_TAIL_H
#define HOLDPORT_LOGS_TAIL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { TAIL_SIZE = 4096, TAIL_BYTES = TAIL_SIZE - 16, TAILS_MOST = 8192 };

struct tail {
	_Atomic uint32_t turn;
	_Atomic uint32_t unused;
	_Atomic uint64_t total;
	char bytes[TAIL_BYTES];
};

/* Maps all of them; NULL and errno.  A page that nobody wrote to takes no memory. */
struct tail *tails_map(int fd);
void tails_unmap(struct tail *tails);
/* A file for them; -1: err. */
int tails_open(struct err *err);

void tail_clear(struct tail *t);
void tail_begin(struct tail *t);
void tail_add(struct tail *t, const char *bytes, size_t count);
void tail_end(struct tail *t);
/* What is in it, from the oldest on. */
void tail_read(const struct tail *t, struct str *out);

#endif
