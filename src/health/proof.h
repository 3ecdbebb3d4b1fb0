/* Is a new worker good?  What each form can promise (docs/readiness.md):
 *
 *   notify   it said READY=1, or acknowledged (handoff = einhorn)
 *   fd:N     it wrote a line to the descriptor
 *   listen   it listens on every socket of the program (handoff = intercept)
 *   tcp      it, and no other process, accepted a connection of ours
 *   http:…   the same, and the answer over that connection had a status from 200 to 399;
 *            at an address of its own, only the latter
 *   exec:…   a command that was run ended with 0
 *   delay:D  it lived that long
 *   auto     READY=1, or it listens, or it was seen waiting on a held socket, or it lived for
 *            a second; a program that once said READY=1 must say it again
 *
 * Looks, tells once, decides nothing about the worker. */
#ifndef HOLDPORT_HEALTH_PROOF_H
#define HOLDPORT_HEALTH_PROOF_H

#include "config/settings.h"
#include "health/probe.h"
#include "health/target.h"
#include "health/trial.h"
#include "loop/loop.h"
#include "socket/store.h"

struct proof_spec {
	const struct program_settings *program;	/* the owner keeps them */
	bool must_notify;		/* auto: it did so in an earlier life */
	pid_t pid;
	struct held *const *held;
	size_t held_count;
	struct launch *command;		/* for exec:…; taken over */
	struct target target;		/* for http:…; taken over */
	struct list *trials;		/* where its runs live */
	int ready_fd;			/* our end for fd:N; the proof owns it; -1: none */
};

struct proof {
	struct loop *loop;
	struct proof_spec spec;
	bool told;
	struct loop_timer look;		/* the next look, or the end of a delay */
	struct loop_later turn_over;
	int64_t look_after;		/* auto; http: the pause until the next question */
	int64_t began;
	struct loop_io line;
	struct probe probe;
	struct trial *trial;
	char *last_run;			/* how it failed; NULL: it did not */
	/* by: "notify", "ack", "fd", "tcp", "http", "exec", "delay", "listen", "waiting", "alive" */
	void (*proved)(struct proof *p, const char *by);
};

/* began: loop_now(), or what it was then if it goes on. */
void proof_go_on(struct proof *p, struct loop *loop, const struct proof_spec *spec, int64_t began,
		 void (*proved)(struct proof *p, const char *by));
/* It is proved by a connection to a socket that its program shares. */
bool proof_connects(const struct ready *ready);
/* The word that proved_by was, as proved() says it; NULL: it is none. */
const char *proof_word(const char *text);
void proof_said_ready(struct proof *p);	/* READY=1 came */
void proof_acknowledged(struct proof *p);	/* as einhorn's workers do; counts the same */
void proof_listens(struct proof *p);		/* on all that it is to serve */
void proof_stop(struct proof *p);	/* accepts one that was never started */
void proof_fini(struct proof *p);	/* last_run is there until then */

#endif
