/* One report, caught in a process of its own within a deadline. */
#ifndef HOLDPORT_INTERCEPT_CATCH_H
#define HOLDPORT_INTERCEPT_CATCH_H

#include "loop/loop.h"
#include "platform/intercept.h"

enum { CATCH_MS = 2000 };

struct catch;

/* caught: t is NULL where there was no report; late: it took too long.  Told once;
 * then it is gone.  NULL: no process was made. */
struct catch *catch_start(struct loop *loop, int listener,
			  void (*caught)(const struct trap *t, bool late, void *ctx), void *ctx,
			  struct err *err);
/* Nobody wants to know any more.  Accepts NULL. */
void catch_forget(struct catch *c);

#endif
