/* Before an upgrade: a child of the new image is asked whether it could go on.
 *
 * It is given the running state and reads it, with the settings in it, as it would
 * after the upgrade; it changes nothing.  It says who it is, or why it could not. */
#ifndef HOLDPORT_SUPERVISOR_PREFLIGHT_H
#define HOLDPORT_SUPERVISOR_PREFLIGHT_H

#include <stdbool.h>

#include "loop/loop.h"

/* The word for it, in its argv: holdportd check-state 3. */
#define PREFLIGHT_WORD "check-state"

struct preflight {
	struct loop *loop;		/* NULL: none is under way */
	struct process process;
	int report, said;		/* its exec's verdict; what it writes */
	struct loop_child child;
	struct loop_timer patience;
	bool late;
	/* why: NULL, it could; else a sentence, borrowed. */
	void (*told)(struct preflight *p, const char *why);
};

struct preflight_spec {
	struct loop *loop;
	int image, state;		/* borrowed */
	char *name;			/* its argv[0] */
	char *const *env;
	int64_t patience;		/* ms */
};

int preflight_start(struct preflight *p, const struct preflight_spec *spec,
		    void (*told)(struct preflight *p, const char *why), struct err *err);
void preflight_stop(struct preflight *p);	/* what runs of it is killed */

/* The other side: the exit code.  fd: a state. */
int preflight_answer(int fd);

#endif
