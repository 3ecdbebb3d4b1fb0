/* The loop without a kernel: time passes when the test says so, and nothing is
 * heard that the test did not make happen. */
#ifndef HOLDPORT_LOOP_FAKE_LOOP_H
#define HOLDPORT_LOOP_FAKE_LOOP_H

#include "loop/loop.h"

/* Runs what was put off until the end of the turn. */
void fake_loop_settle(struct loop *l);
/* The same, but no more than so many. */
void fake_loop_settle_some(struct loop *l, unsigned most);
/* Turns the clock to the next timer and fires it; false if there is none. */
bool fake_loop_next_timer(struct loop *l);
/* When it is due, or -1. */
int64_t fake_loop_next_due(struct loop *l);
/* Whoever watches this descriptor, or this process, is told.  False: nobody. */
bool fake_loop_io(struct loop *l, int fd, int events);
bool fake_loop_child(struct loop *l, pid_t pid);

#endif
