/* Socket options as data: one row an option, applied in the order of the table.
 *
 * See socket(7), tcp(7), ip(7), ipv6(7).  A setting of TUNE_UNSET leaves the
 * option as the system has it. */
#ifndef HOLDPORT_SOCKET_TUNE_H
#define HOLDPORT_SOCKET_TUNE_H

#include "base/err.h"
#include "base/str.h"
#include "config/settings.h"
#include "socket/key.h"

enum tune_when { TUNE_BEFORE_BIND, TUNE_LIVE };

/* TUNE_BEFORE_BIND applies every row, TUNE_LIVE those that a listening socket
 * takes too.  An option that does not exist for the family is passed over; one
 * that the kernel refuses is an error that names the key of the settings. */
int tune_apply(int fd, const struct key *key, const struct socket_settings *s,
	       enum tune_when when, struct err *err);

/* Live options that `was` set and `now` leaves alone become what a new socket
 * of this kind has. */
int tune_reset(int fd, const struct key *key, const struct socket_settings *was,
	       const struct socket_settings *now, struct err *err);

/* Options that a worker set on its own socket, before it was given the held one in
 * place of it: what the settings leave alone becomes as there.  Adds the keys of those
 * that a bound socket does not take to ret_kept. */
void tune_follow(int held, int own, const struct key *key, const struct socket_settings *s,
		 struct str *ret_kept);

#endif
