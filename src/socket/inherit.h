/* Sockets that whoever started us gave to us: sd_listen_fds(3).
 *
 * systemd, systemd-socket-activate and the like leave bound sockets at 3, 4, …
 * and say so in LISTEN_FDS.  They are one more answer to "is there already a
 * socket with this key?": what a configuration names is taken from them before
 * anything is bound.  What they are is asked of the sockets, not of the
 * environment. */
#ifndef HOLDPORT_SOCKET_INHERIT_H
#define HOLDPORT_SOCKET_INHERIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/text_list.h"

struct store;

struct inherited {
	int *fds;		/* each was open when it was noted */
	uint64_t *inodes;	/* NULL: nobody has asked for one */
	size_t count;
	struct text_list names;	/* one each, "unknown" where none was said */
};

/* Values of LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES; NULL: not set.  To be called
 * before we open anything: a number that nobody passed on would be ours then.
 * Nothing is inherited unless pid is `us`, the process that was started: our own, or
 * that of the keeper above us. */
void inherited_note(const char *pid, const char *fds, const char *names, pid_t us,
		    struct inherited *ret);

/* What a socket is, asked of itself. */
struct key;
int inherited_key(int fd, struct key *ret, struct err *err);
/* The store has them from now on; what cannot be held is closed, and named. */
void inherited_give(struct inherited *in, struct store *store);
/* The one with this inode, which is the caller's now; -1: there is none. */
int inherited_take(struct inherited *in, uint64_t inode);
void inherited_fini(struct inherited *in);	/* closes nothing */

#endif
