/* A second name for the file of a unix socket, so that it can have its path back.
 *
 * Servers remove the path of the socket that they were given when they end; clients
 * find nobody then, though the socket is there.  A hard link beside it (".NAME.holdport")
 * keeps the file alive; when the path is gone it is linked again.  The file itself is
 * watched, so that nothing else in its directory wakes us.
 *
 * Functions do nothing for sockets without a path of our own making. */
#ifndef HOLDPORT_SOCKET_ANCHOR_H
#define HOLDPORT_SOCKET_ANCHOR_H

#include "socket/store.h"

/* After the bind, before the end. */
void anchor_drop(struct held *h);
void anchor_weigh(struct held *h);

/* Is the path the file that we made?  1 if it was gone and is there again, 0 if nothing
 * was amiss, -1 and why it is not to be had; err->code ENOENT: both names are gone. */
int anchor_mend(struct held *h, struct err *err);

void anchors_init(struct anchors *a, struct loop *loop, struct store *s);
void anchors_fini(struct anchors *a);

#endif
