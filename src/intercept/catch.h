/* One report, or one message, caught in a process of its own within a deadline. */
#ifndef HOLDPORT_INTERCEPT_CATCH_H
#define HOLDPORT_INTERCEPT_CATCH_H

#include "loop/loop.h"
#include "platform/intercept.h"

enum { CATCH_MS = 2000 };

struct catch;

/* platform_trap_catch() or platform_message_catch(). */
typedef int catch_begin_fn(int from, struct process *ret, int *ret_result, struct err *err);

/* caught: result is where the platform tells, closed afterwards; -1: it took too long.
 * Told once; then it is gone.  NULL: no process was made. */
struct catch *catch_start(struct loop *loop, catch_begin_fn *begin, int from,
			  void (*caught)(int result, void *ctx), void *ctx, struct err *err);
/* Nobody wants to know any more.  Accepts NULL. */
void catch_forget(struct catch *c);
/* Of one that took too long, when it is told so: tell when it has ended after all. */
void catch_outlast(struct catch *c, void (*ended)(int result, void *ctx));
/* With the loop.  One that cannot be ended is left to itself. */
void catches_end(void);

#endif
