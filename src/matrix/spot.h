/* Sockets of the experiment: which addresses a family has, and how one of them is
 * made and bound. */
#ifndef HOLDPORT_MATRIX_SPOT_H
#define HOLDPORT_MATRIX_SPOT_H

#include <sys/socket.h>

#include "base/err.h"
#include "matrix/matrix.h"

struct spot {
	struct sockaddr_storage sa;
	socklen_t length;
};

#define SPOT(p) ((struct sockaddr *)(void *)&(p)->sa)

/* The address of a socket of this kind, at a port. */
struct spot spot_of(enum matrix_kind kind, enum matrix_address address, int port);
int spot_port(const struct spot *p);
void spot_set_port(struct spot *p, int port);

/* Every address of every family that this system has. */
struct spot spot_everywhere(int port);
/* A port that no socket of any family is bound to; -1. */
int spot_free_port(struct err *err);

/* A stream socket with the options of s, not bound; -1. */
int spot_socket(const struct matrix_socket *s, struct err *err);
/* Closed with a reset: neither end stays behind. */
void spot_reset(int *fd);

#endif
