/* How many connections processes have with the clients of listening sockets.
 *
 * One look at the kernel's table of sockets, however many sockets and workers are
 * asked about, is joined with the descriptors that each worker's processes have. */
#ifndef HOLDPORT_PLATFORM_COUNT_H
#define HOLDPORT_PLATFORM_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"

/* A socket that clients come by: stream or seqpacket. */
struct count_socket {
	const struct sockaddr *sa;
	socklen_t length;
	unsigned long inode;	/* of the listener that we hold; 0: none now */
};

enum { COUNT_PIDS = 2 };

/* A worker, and what is found out about it. */
struct count_worker {
	pid_t pids[COUNT_PIDS];	/* each with all below it; 0: none */
	int connections;	/* accepted and not closed; -1: it cannot be seen */
	bool listens;		/* it has a listener of one of the sockets, or may have one */
	int *by_socket;		/* connections of each socket; NULL: of no interest */
};

/* Takes ms of the processor at most for the descriptors; who was not reached in that
 * time cannot be seen.  -1: this system cannot tell. */
int platform_count_connections(const struct count_socket *sockets, size_t socket_count,
			       struct count_worker *workers, size_t worker_count, int ms,
			       struct err *err);

#endif
