/* What the kernel's tables show at a port: the proof that a state is what the
 * experiment says it is. */
#ifndef HOLDPORT_MATRIX_SIGHT_H
#define HOLDPORT_MATRIX_SIGHT_H

#include <stdbool.h>

#include "base/err.h"
#include "matrix/matrix.h"

/* 0: exactly what this state leaves is there, and nothing else. */
int sight_check(int port, enum matrix_state state, struct err *err);
/* The same, once it is so: packets need no time on loopback, acknowledgements now
 * and then do. */
int sight_await(int port, enum matrix_state state, struct err *err);
/* Waits until nothing is there; how many connections are there all the same. */
unsigned sight_await_nothing(int port, int most_ms);

enum { PATIENCE_MS = 1000 };	/* for whatever should happen at once */

#endif
