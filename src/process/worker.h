/* One process of a program, from its making to its burial.
 *
 * The owner hands in a prepared launch and is told the news; it decides what a
 * death means.  A worker knows its stop ladder and nothing of generations.
 *
 * A signal is sent only to a process that is ours and was not reaped; its group
 * gets the last signal while the zombie still keeps the number from reuse. */
#ifndef HOLDPORT_PROCESS_WORKER_H
#define HOLDPORT_PROCESS_WORKER_H

#include <time.h>

#include "base/list.h"
#include "config/settings.h"
#include "loop/loop.h"
#include "platform/process.h"
#include "process/launch.h"
#include "process/worker_state.h"

enum worker_news {
	WORKER_NEWS_STATE,
	WORKER_NEWS_FILTERED,	/* its listener is here, to be taken */
	WORKER_NEWS_ENDING,	/* its process has ended; its state has not moved yet */
	WORKER_NEWS_GONE,
};

/* Whoever is the parent of workers that an earlier manager started. */
struct foster {
	void (*adopt)(struct foster *f, pid_t pid);
	/* worker_ended() answers, soon. */
	void (*peek)(struct foster *f, pid_t pid);
	void (*reap)(struct foster *f, pid_t pid);
};

/* What a successor has to know of a worker to go on with it. */
struct worker_memory {
	pid_t pid, main_pid;			/* main_pid 0: none */
	uint64_t born, main_born;		/* platform_process_born() */
	uint64_t id;				/* platform_process_id() */
	bool followed, proved, asked;
	enum worker_state state;
	unsigned rung;
	int64_t patience_ends, patience_most;
	time_t started;
	const char *reason;			/* borrowed */
};

/* Exit statuses that say nothing of the program: it did not come to exec(2); nobody knows. */
enum { WORKER_END_NO_EXEC = 127, WORKER_END_UNKNOWN = 255 };

struct worker {
	const char *name;			/* "web/3/0", for sentences; the owner's */
	const struct program_settings *settings;	/* the owner keeps them */
	struct loop *loop;
	enum worker_state state;
	unsigned held;				/* WORKER_HOLDS_… */
	struct process process;			/* the one that we started */
	struct process main;			/* the one it named instead; none: pid 0 */
	bool followed;				/* process ended (unreaped), main has not */
	pid_t pid;				/* of the main one; stays after the burial */
	struct process_end end;			/* valid once GONE */
	bool proved;				/* ever */
	bool asked;				/* told to stop by us */
	char *reason;				/* why it did not come up; NULL otherwise */
	unsigned rung;				/* of the ladder */
	int64_t patience_ends;			/* loop_now() scale; 0: no deadline runs */
	int64_t patience_most;			/* as far as it may be extended */
	int64_t extended;			/* it asked for this rung's time until then */
	int listener;				/* of the filter that it has; -1: none, or taken */
	time_t started;
	void (*told)(struct worker *w, enum worker_news news);
	bool gated;				/* the owner's: it waits for worker_release() */
	struct foster *foster;		/* NULL: process is our own child */
	bool adopted;				/* an earlier manager started it … */
	pid_t started_as;			/* … with this pid */
	uint64_t born, main_born, id;

	/* private */
	struct launch_place place;		/* until exec has its verdict */
	int report_fd;
	struct loop_io report;
	struct loop_child child;
	struct loop_timer look_again;
	int gate;				/* -1: it does not wait */
	bool unfiltered;			/* the listener of its filter is to be kept first */
	int ended;				/* told by the foster: 1; -1: not to be known */
	unsigned looks;				/* for its end, in vain */
	struct loop_timer deadline;
};

/* Starts the process and takes *launch over, also when it fails. */
int worker_start(struct worker *w, struct launch *launch, struct err *err);
/* It was written down: now it may become what it is to be. */
void worker_release(struct worker *w);
/* One that an earlier manager started.  What has ended meanwhile is told soon. */
void worker_adopt(struct worker *w, const struct worker_memory *m);
void worker_remember(const struct worker *w, struct worker_memory *ret);
/* ended: 1 and how; 0 not yet; -1: nobody knows. */
void worker_ended(struct worker *w, int ended, const struct process_end *end);
void worker_on(struct worker *w, enum worker_event event);
/* It asks for more time, so long from now, to start or to stop; granted up to ten
 * times of what is configured. */
void worker_extend(struct worker *w, int64_t ms);
/* ms until it gets the last rung, should it not end before; -1: no limit runs. */
int64_t worker_time_left(const struct worker *w);
/* Its main process is another one from now on; takes main, or NULL: the one that
 * was started.  When that ends first, the worker lives on in main. */
void worker_follow(struct worker *w, struct process *main);
int worker_signal(struct worker *w, int number);	/* as platform_signal(), to main */
/* Only for one that is GONE or never started. */
void worker_fini(struct worker *w);

/* "exit status 3", "signal 9 (KILL)", "signal 11 (SEGV, core dumped)" into buf. */
#define WORKER_END_SIZE 64
const char *worker_end_text(const struct process_end *end, char buf[WORKER_END_SIZE]);

#endif
