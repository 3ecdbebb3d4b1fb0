/* Where the process that writes logs has its files, the streams that go to each, and
 * the threads that write.
 *
 * A disk that hangs holds the thread that writes to it, and nobody else: another thread
 * comes for the other files.  What waits for the hanging one meanwhile stays in its
 * pipes, and is dropped and counted when a pipe is full: its worker goes on.
 *
 * One lock over all; no thread has it while it may wait for a disk. */
#ifndef HOLDPORT_LOGS_DESK_H
#define HOLDPORT_LOGS_DESK_H

#include <pthread.h>

#include "base/list.h"
#include "logs/log_file.h"
#include "logs/pack.h"
#include "logs/ration.h"
#include "logs/tail.h"
#include "platform/platform.h"

enum {
	DESK_TICK_MS = 200,		/* while there is something to look after */
	DESK_HUNG_MS = 2000,		/* in one write: it hangs */
	DESK_AGAIN_MS = 1000,		/* until what cannot be written is tried again */
	DESK_ENDED_MOST = 64,		/* workers of a sheet whose last words wait */
	DESK_THREADS_MOST = 32,
};

struct sheet;

struct stream {
	struct list node;		/* in its sheet */
	struct sheet *sheet;
	uint32_t number;
	int fd;
	struct tail *tail;		/* NULL: none */
	struct ration *ration;		/* of its program; NULL: it says what it likes */
	long pid;			/* of its worker */
	char origin[LOG_ORIGIN_SIZE];
	bool ready;			/* something came */
	bool plenty;			/* much at a time, of late */
	bool left;			/* something, in the pipe: its stalls are heard */
	bool ended;			/* its worker has: no more will come */
	bool forsaken;			/* what cannot be written now is dropped */
	bool last;			/* we end: whole lines that are there, and no more */
	bool done;
	bool overrun;			/* what is being written was dropped meanwhile */
};

/* A file with those that write to it. */
struct sheet {
	struct list node, queued;
	struct list streams;
	struct log_file file;
	struct pack pack;
	bool packing;			/* there may be something to be packed */
	bool busy, reopen, failing, hung, retire;
	bool unsaid, limited;		/* it lacks lines; of those that came too fast */
	bool quiet;			/* nothing came for a while: it may say so */
	int64_t since;			/* busy, queued, or failing */
	struct log_target told;		/* for the next lines; its path is ours */
	size_t lines_lost, bytes_lost;	/* while it hung, not yet in file */
};

struct desk {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct list sheets, queue, rations;
	unsigned threads, idle;
	bool writing;			/* as desk_tick() has seen */
	int channel;			/* to the manager */
	struct glass glass;		/* relief.c */
	int wake;			/* a byte comes when a stream is done */
};

int desk_init(struct desk *d, int channel, int wake, struct err *err);
/* Takes fd. */
struct stream *desk_add(struct desk *d, const struct log_target *t, const char *origin, int fd,
			struct tail *tail);
/* With the lock: there is work for its sheet. */
void desk_queue(struct desk *d, struct sheet *s);
/* So much is in a pipe that its worker would wait soon: a page holds a line at the least, and
 * may be half empty; of the first one all may be taken out but the last line. */
bool desk_is_full(int pipe, long there);
/* With the lock: one more thread. */
void desk_more(struct desk *d);
void desk_say(const struct desk *d, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* pump.c: what a thread does; with and without the lock. */
void *desk_thread(void *desk);

/* relief.c, with the lock: looks after what hangs and what failed.  False: nothing is
 * to be looked after. */
bool desk_tick(struct desk *d);

#endif
