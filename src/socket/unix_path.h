/* The file that a unix socket leaves in the file system.
 *
 * It outlives its socket, anybody with the directory may replace it, and only
 * a try to connect tells whether somebody is behind it.  All functions do
 * nothing for keys without a path. */
#ifndef HOLDPORT_SOCKET_UNIX_PATH_H
#define HOLDPORT_SOCKET_UNIX_PATH_H

#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "config/settings.h"
#include "socket/key.h"

/* Which file it was. */
struct unix_path {
	dev_t device;
	ino_t inode;	/* 0: none */
};

/* The file that is at the key's path now: .inode 0 unless it is a socket. */
struct unix_path unix_path_note(const struct key *key);
/* Unlinks the path while it is still the file that was noted. */
void unix_path_remove(const struct key *key, const struct unix_path *noted);

/* 0 when the path can be bound now: nothing was there, or a socket that refused
 * a connection, which is gone now.  -1 and why not. */
int unix_path_clear(const struct key *key, struct err *err);

/* bind(2) that makes the file with the mode of the settings, then its owner. */
int unix_path_bind(int fd, const struct key *key, const struct socket_settings *s, struct err *err);
/* The same for a file that is there. */
int unix_path_retune(const struct key *key, const struct socket_settings *s, struct err *err);

/* 0, or the errno that a bind would end with; nothing is made or removed. */
int unix_path_try(const struct key *key);

/* A sentence for what bind(2) said about the path. */
void unix_path_explain(const struct key *key, int bind_errno, struct str *ret);

#endif
