/* Binding anew: the answer to a claim that came back empty.
 *
 * socket_open() makes one listening socket for one address, close-on-exec,
 * with every option that the settings ask for.  It knows nothing of who will
 * serve it.  The caller owns the descriptor. */
#ifndef HOLDPORT_SOCKET_OPEN_H
#define HOLDPORT_SOCKET_OPEN_H

#include <stdbool.h>

#include "base/err.h"
#include "config/settings.h"
#include "socket/key.h"

/* A descriptor, or -1 with the reason; err->code tells a busy address
 * (EADDRINUSE), one that is not on this host (EADDRNOTAVAIL), a missing right
 * (EACCES) from the rest.  All of them may pass, so all are worth another try.
 *
 * An IPv6-any address of `any` falls back to 0.0.0.0 where the system has no
 * IPv6.  A unix path that is taken is replaced only after connect(2) to it was
 * refused (ECONNREFUSED), and only if it is a socket: never a link, never a
 * regular file.  mode, owner and group of the path are set before listen(2),
 * so nobody gets in early. */
int socket_open(const struct key *key, const struct socket_settings *s, struct err *err);
/* The same beside another that has the address and shares it (rebind.h). */
struct beside {
	bool deaf;	/* nothing comes to it, from the first moment on */
	unsigned number;	/* for platform_deafen() */
	uid_t owner;	/* of the other: SO_REUSEPORT is for sockets of one user */
};
int socket_open_beside(const struct key *key, const struct socket_settings *s,
		       const struct beside *beside, struct err *err);

/* Options that can change on a held socket (EFFECT_LIVE rows, backlog, a unix
 * path's mode and owner), applied to fd. */
int socket_retune(int fd, const struct key *key, const struct socket_settings *s, struct err *err);

/* A socket that somebody else bound becomes one of these settings: live options,
 * blocking mode, listen(2).  A path keeps the mode and the owner that it has.
 * -1: what of the settings it cannot have; it can be held all the same. */
int socket_take(int fd, const struct key *key, const struct socket_settings *s, struct err *err);

/* Binds a socket that a worker made to this address, and listens, as socket_open()
 * does; what the worker has set on it stays, but for what would let others in. */
int socket_bind_own(int fd, const struct key *key, const struct socket_settings *s,
		    struct err *err);

/* A listener refuses connections from now on, those in its queue too; an address
 * of the network stays ours: SO_REUSEADDR, by which another could bind beside
 * what does not listen, is off until socket_relisten(). */
void socket_refuse(int fd, const struct key *key);
/* Not for unix sockets, which stay shut. */
int socket_relisten(int fd, const struct key *key, const struct socket_settings *s,
		    struct err *err);

/* A socket of a reuse_port group belongs to the user of its program: the kernel lets
 * only sockets of one user into a group, and a worker may want to add its own. */
int socket_set_owner(int fd, const struct socket_settings *s, struct err *err);

/* Whether this one is. */
bool socket_is_v6only(int fd);
/* Whether the socket for this key is (to be) IPv6-only; false for other families. */
bool socket_v6only(const struct key *key, const struct socket_settings *s);
/* Whether it has SO_REUSEADDR. */
bool socket_shares(const struct key *key, const struct socket_settings *s);
/* What listen(2) is given: the setting, or for 0 what the system allows. */
int socket_backlog(const struct socket_settings *s);

#endif
