/* Older files are packed (gzip), a piece at a time, by whoever writes the file: so it is
 * never moved meanwhile.  FILE.1 is left as it is, for who follows it. */
#ifndef HOLDPORT_LOGS_PACK_H
#define HOLDPORT_LOGS_PACK_H

#include <stdbool.h>
#include <stdint.h>

struct pack {
	int from;			/* the file that is packed; -1: none */
	void *to;			/* gzFile */
	char *draft;			/* its name until it is whole */
};

void pack_init(struct pack *p);
/* Goes on, or looks for the next one.  False: there is nothing to be packed. */
bool pack_some(struct pack *p, const char *path, int64_t keep);
void pack_stop(struct pack *p);		/* what is not whole is packed anew next time */

#endif
