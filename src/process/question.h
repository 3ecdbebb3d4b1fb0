/* One question over HTTP, described as data: the process that asks it
 * (tools/http_check.c).
 *
 * It runs as the worker's user, or as nobody where that is root, and has nothing
 * else of a worker: no environment, no sockets but the one that it speaks over. */
#ifndef HOLDPORT_PROCESS_QUESTION_H
#define HOLDPORT_PROCESS_QUESTION_H

#include "process/launch.h"

struct question {
	const struct program_settings *program;
	const char *url;
	const char *via;		/* "unix:/path"; NULL: where the URL says, or fd */
	int fd;				/* a connection; -1: none */
	int said;			/* what becomes its standard output */
	int64_t patience;		/* ms, for the whole of it */
};

/* The descriptors stay the caller's, and open until it was started. */
int question_prepare(const struct question *q, struct launch *ret, struct err *err);

#endif
