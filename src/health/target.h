/* Where a check over HTTP asks: what follows "http:" in `ready` and `health`.
 *
 *   /PATH                        the program's first TCP or unix socket
 *   //HOST:PORT/PATH             an address of the worker's own
 *   //unix:/SOCKET:/PATH         the same; //unix:@NAME:/PATH
 *
 * Pure. */
#ifndef HOLDPORT_HEALTH_TARGET_H
#define HOLDPORT_HEALTH_TARGET_H

#include <stdbool.h>

#include "base/err.h"
#include "socket/store.h"

struct target {
	char *url;
	char *via;		/* "unix:/path"; NULL: as the URL says */
};

/* It names an address, and asks none that the program shares. */
bool target_is_own(const char *word);
/* word: expanded. */
int target_make(const char *word, struct held *const *held, size_t count, struct target *ret,
		struct err *err);
void target_fini(struct target *t);

#endif
