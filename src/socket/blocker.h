/* Who is in the way of a bind.
 *
 * Gathers from the system's tables of listening sockets; reads, never changes
 * anything.  Where the holder is not visible (another user, another
 * namespace) the sentence says so instead of guessing. */
#ifndef HOLDPORT_SOCKET_BLOCKER_H
#define HOLDPORT_SOCKET_BLOCKER_H

#include <stdbool.h>

#include "base/str.h"
#include "socket/key.h"

/* One sentence without a full stop about what listens at key, or blocks it:
 * "127.0.0.1:8080 is taken by a listener of nginx (pid 4711, user www-data)",
 * "… is taken by connections of an earlier listener that did not set
 * SO_REUSEADDR (3 in TIME_WAIT)".  Falls back to the bind's own error. */
void blocker_explain(const struct key *key, int bind_errno, struct str *ret);

#endif
