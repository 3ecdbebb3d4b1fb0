/* FILE becomes FILE.1, FILE.1 becomes FILE.2, up to FILE.KEEP; each may be there as
 * FILE.N.gz, packed. */
#ifndef HOLDPORT_LOGS_ROTATE_H
#define HOLDPORT_LOGS_ROTATE_H

#include <stdint.h>

#include "base/err.h"

/* Only as far as there is a gap is anything moved: what was cut short by a crash and
 * is done again loses nothing.  -1: FILE is still where it was. */
int rotate(const char *path, int64_t keep, struct err *err);

#define ROTATE_PACKED ".gz"
/* FILE.NUMBER with this behind it; the caller owns it. */
char *rotated_name(const char *path, int64_t number, const char *suffix);

#endif
