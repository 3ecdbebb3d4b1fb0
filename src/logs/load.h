/* What a thread that writes has in its hands (pump.c), the limit of how much of it a program
 * may say (limit.c), and bytes that it need not take into its hands (pass.c). */
#ifndef HOLDPORT_LOGS_LOAD_H
#define HOLDPORT_LOGS_LOAD_H

#include "logs/desk.h"
#include "logs/lines.h"

enum { CHUNK = 65536, OUT_MOST = 256 * 1024 };

/* What a thread works with. */
struct bench {
	struct desk *desk;
	struct glass glass, copy;
	char bytes[CHUNK];
	struct str out;
};

/* What was looked at, and what becomes of it. */
struct load {
	const char *bytes;
	size_t count;			/* there */
	size_t used, lines;		/* of them whole lines */
	size_t granted;			/* lines that its program may say now */
	size_t over, over_lines;	/* behind those: they are taken out only */
	const char *out;		/* what is written of them */
	size_t length;
	struct lines_form form;
};

/* What is in the pipe, CHUNK bytes at most: all of it (end 0), or so many bytes of its end.
 * What is dropped of it from now on is known by overrun. */
size_t load_look(struct bench *b, struct stream *s, size_t end);
/* What was written leaves its pipe: bytes, of which the last page is looked at. */
void load_take_out(struct bench *b, struct stream *s, const char *bytes, size_t count);
void load_went_well(struct desk *d, struct sheet *s, int64_t dropped);

/* Where lines stay as they are and much comes, it goes from pipe to file within the system,
 * but for its end, where the last line's end is looked for.  False: not now. */
bool load_pass(struct bench *b, struct stream *s);

/* Lines beyond what its program may say now are set apart, before any are made. */
void limit_load(struct bench *b, const struct stream *s, struct load *l);
/* After they were written: those set apart are dropped and counted. */
void limit_settle(struct bench *b, struct stream *s, struct load *l);

#endif
