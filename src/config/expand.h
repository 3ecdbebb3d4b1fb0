/* ${…} in values.
 *
 * Early, when the file is read: ${ENV:NAME}, ${ENV:NAME:-default}, ${here},
 * ${program}.  Late, for each worker: ${worker}, ${slot}, ${generation},
 * ${fd:SOCKET[:N]}, ${port:SOCKET[:N]}, ${address:SOCKET[:N]}.  $$ is a dollar; a
 * $ before anything but $ and { is a fault.  An early pass over a value that
 * may hold late expansions leaves those and every $$ alone. */
#ifndef HOLDPORT_CONFIG_EXPAND_H
#define HOLDPORT_CONFIG_EXPAND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* Adds the value of NAME (what stands between the braces) to out.  1: done,
 * 0: not mine (left as it is if keep_unknown, else a fault), -1: a fault in err. */
typedef int expand_name_fn(const char *name, void *ctx, struct str *out, struct err *err);

int expand(const char *text, expand_name_fn *name, void *ctx, bool keep_unknown,
	   struct str *out, struct err *err);

#endif
