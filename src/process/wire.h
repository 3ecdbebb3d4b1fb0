/* What the preload library (tools/preload.c) and the manager say to each other.
 *
 * Each call is a conversation over a seqpacket socket that the manager listens on:
 * the worker sends a wire_call with the descriptor that it calls with; it is told
 * what to do until it is told how the call ends.  A conversation that ends before
 * that is begun again, with the next manager.  Both are of one build. */
#ifndef HOLDPORT_PROCESS_WIRE_H
#define HOLDPORT_PROCESS_WIRE_H

#include <stdint.h>
#include <sys/socket.h>

#define WIRE_VARIABLE "HOLDPORT_INTERCEPT"	/* the path of the socket */

struct wire_call {
	int32_t listens;		/* listen(2); 0: bind(2) */
	int32_t fd;			/* its number there */
	uint32_t length;
	uint64_t device, directory;	/* in which a path lies; 0: none */
	struct sockaddr_storage sa;
};

enum wire_word {
	WIRE_REPLACE = 1,		/* what comes along takes the place of fd; go on listening */
	WIRE_ANSWER,			/* the call returns: why */
	WIRE_CONTINUE,			/* it is carried out as if nobody had looked */
};

struct wire_answer {
	int32_t word;
	int32_t why;			/* errno, 0 */
};

#endif
