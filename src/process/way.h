/* How a worker's bind(2) comes to us: the best of what this system allows.
 *
 * A seccomp filter sees the calls of every program.  Where there is none, a preload
 * library sees those of programs that call the C library they are linked with. */
#ifndef HOLDPORT_PROCESS_WAY_H
#define HOLDPORT_PROCESS_WAY_H

#include "base/err.h"

#define WAYS(X)                    \
	X(NONE, "none")            \
	X(SECCOMP, "seccomp")      \
	X(PRELOAD, "preload")

enum way {
#define X(name, word) WAY_##name,
	WAYS(X)
#undef X
};

const char *way_word(enum way w);

/* Found out once, by trying.  Unless it is seccomp, err says why that is not to be
 * had; NULL is fine. */
enum way way_of_system(struct err *err);
/* The preload library; NULL: it is not installed. */
const char *way_library(void);
/* Whether that reaches the program in this file; -1 and why not. */
int way_reaches(const char *file, struct err *err);

#endif
