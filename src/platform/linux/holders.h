/* Which process a socket belongs to, read from /proc. */
#ifndef HOLDPORT_PLATFORM_LINUX_HOLDERS_H
#define HOLDPORT_PLATFORM_LINUX_HOLDERS_H

#include <stddef.h>

#include "platform/platform.h"

/* Fills in pid and program of those whose inode a visible process has among
 * its descriptors: of several the oldest.  Bounded in time, best effort. */
void holders_name(struct holder *holders, size_t count);

#endif
