/* What a worker writes to its standard output and error: passed on line by
 * line, each with its origin in front, or written by another process (writer.h);
 * and the last lines kept for whoever asks why it failed.  Owns its descriptor. */
#ifndef HOLDPORT_LOGS_CAPTURE_H
#define HOLDPORT_LOGS_CAPTURE_H

#include "base/str.h"
#include "base/text_list.h"
#include "logs/ration.h"
#include "logs/writer.h"
#include "loop/loop.h"

enum {
	CAPTURE_LINES = 64,		/* kept */
	CAPTURE_LINE_MOST = 4096,	/* bytes; a longer line is passed on in pieces */
};

struct capture {
	struct captured *from;		/* passed on by us; NULL: it is not */
	struct log_stream *stream;	/* written by another process; NULL: it is not */
};

/* ration: how much is passed on of it; the caller's, NULL: all. */
void capture_start(struct capture *c, struct loop *loop, int fd, const char *origin,
		   struct ration *ration);
void capture_write(struct capture *c, struct log_writer *w, int fd, const char *origin,
		   const struct log_target *target);
int capture_fd(const struct capture *c);		/* that it reads; -1: none */
/* A line that has no end yet, for whoever reads on; NULL: none. */
const char *capture_half(const struct capture *c);
void capture_go_on(struct capture *c, const char *half);	/* NULL: nothing */
/* Reads what is there, ends the last line, stops.  The lines stay. */
void capture_end(struct capture *c);
/* The last lines, oldest first, `most` of them at the most. */
void capture_last(const struct capture *c, size_t most, struct text_list *ret);
void capture_fini(struct capture *c);	/* accepts one that was never started */

#endif
