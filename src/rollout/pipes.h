/* The pipes between us and a new worker.
 *
 * Ours are closed by whoever takes them over; the worker's all at once when it has been
 * started. */
#ifndef HOLDPORT_ROLLOUT_PIPES_H
#define HOLDPORT_ROLLOUT_PIPES_H

#include "config/settings.h"

struct pipes {
	int out_read, err_read, ready_read;
	int out, err, ready;		/* the worker's */
	int close_out, close_err;	/* those of them that are pipes */
};

#define PIPES_NONE { -1, -1, -1, -1, -1, -1, -1, -1 }

/* -1: some may be open; both ends are to be closed. */
int pipes_open(const struct program_settings *s, struct pipes *p, struct err *err);
void pipes_close_ours(struct pipes *p);
void pipes_close_theirs(struct pipes *p);

#endif
