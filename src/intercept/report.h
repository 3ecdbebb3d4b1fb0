/* A worker's call, whichever way it was reported, until it is answered. */
#ifndef HOLDPORT_INTERCEPT_REPORT_H
#define HOLDPORT_INTERCEPT_REPORT_H

#include "platform/intercept.h"

struct report {
	struct trap trap;
	int listener;		/* of the filter that told */
	int visitor;		/* or the conversation (wire.h); -1: none */
};

/* The held socket takes the place of the worker's own.  -1 and errno. */
int report_replace(const struct report *r, int fd);
/* The call returns, with errno or 0; or is carried out. */
void report_answer(const struct report *r, int why);
void report_continue(const struct report *r);

#endif
