/* What all programs share, and how news leaves this room. */
#ifndef HOLDPORT_ROLLOUT_ROLLOUT_H
#define HOLDPORT_ROLLOUT_ROLLOUT_H

#include <sys/types.h>

#include "base/list.h"
#include "drain/drain.h"
#include "loop/loop.h"
#include "socket/store.h"

/* Something changed its state.  Everything in it is borrowed. */
struct news {
	const char *what;	/* "program", "generation", "worker" */
	const char *state;
	const char *program;
	unsigned generation;	/* 0: the program as a whole */
	int worker;		/* index in its generation; -1: none */
	pid_t pid;		/* 0: none */
	const char *text;	/* why, or NULL */
	const struct drain *drain;	/* its connections were counted; NULL: not now */
};

struct program;
struct custody;
struct foster;
struct log_writer;
struct cgroups;

struct rollout {
	struct loop *loop;
	struct store *store;
	const char *notify_dir;	/* where workers' notify sockets are made */
	struct cgroups *cgroups;	/* a group for each generation; NULL: none */
	const char *private_dir;	/* programs' own directories; NULL: nowhere */
	struct drains drains;	/* workers on their way out */
	struct list trials;	/* runs of checks (health/trial.h) */
	bool hush;		/* nobody is asked for his health now */
	struct list programs;	/* struct program, in the order of the configuration */
	struct custody *custody;	/* what outlives us; NULL: nothing does */
	struct log_writer *logs;	/* writes output to files; NULL: nobody does */
	struct leftover *leftovers;	/* of intercepted workers (leftover.h); NULL: none */
	struct foster *foster;	/* parent of workers that we did not start */
	/* Writes down what program_record() says of it, at the end of the turn in which
	 * something changed, and lets its new workers go on.  NULL: nobody writes. */
	void (*record)(struct program *p, void *ctx);
	void (*news)(const struct news *n, void *ctx);
	/* A program that was removed is gone for good; called before it is freed. */
	void (*program_gone)(struct rollout *r, const char *name, void *ctx);
	void *ctx;
};

/* Nothing is half done that only this process knows: each new worker's exec(2) has its
 * verdict, no check runs, what has happened is written down. */
bool rollout_is_still(const struct rollout *r);

#endif
