/* The manager's end of the process that writes logs (scribe.h): started with the first
 * stream, again when it has ended, told of every stream.
 *
 * Nothing here waits for a disk.  A stream's descriptor stays ours until all of it is
 * written, so that another process can go on where one ended. */
#ifndef HOLDPORT_LOGS_WRITER_H
#define HOLDPORT_LOGS_WRITER_H

#include "base/text_list.h"
#include "logs/order.h"
#include "logs/tail.h"
#include "loop/loop.h"
#include "platform/process.h"

struct log_writer {
	struct loop *loop;
	int lock;			/* of the runtime directory; borrowed */
	struct list streams;
	struct process process;		/* that steps out and ends; its end is no news */
	struct loop_child child;
	struct loop_io io;
	struct loop_timer again;
	struct loop_later later;
	int channel;			/* -1: it does not run */
	bool reopen;			/* still to be told */
	int tails_fd;
	struct tail *tails;
	uint32_t last_number;
	int64_t started;		/* loop_now() */
};

struct log_stream {
	struct list node;
	struct log_writer *writer;
	uint32_t number, tail;
	int fd;				/* -1: all is written */
	bool told, ended, told_end;	/* who writes knows of it; its worker has; knows that */
	bool let_go;			/* nobody asks for its lines any more */
	char origin[LOG_ORIGIN_SIZE];
	struct log_target target;	/* with a path of its own */
};

void log_writer_start(struct log_writer *w, struct loop *loop, int lock);
/* Waits for a moment until what was said is written. */
void log_writer_stop(struct log_writer *w);
void log_writer_reopen(struct log_writer *w);
/* Something is to be told, at the end of this turn. */
void log_writer_wake(struct log_writer *w);

/* Takes fd. */
struct log_stream *log_stream_new(struct log_writer *w, int fd, const char *origin,
				  const struct log_target *target);
/* Its worker has ended, and with it the caller's use of it: but for its last lines. */
void log_stream_end(struct log_stream *s);
void log_stream_last(const struct log_stream *s, size_t most, struct text_list *ret);
void log_stream_let_go(struct log_stream *s);	/* it goes when all of it is written */
void log_stream_remove(struct log_stream *s);	/* now */

#endif
