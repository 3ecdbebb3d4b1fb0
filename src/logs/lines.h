/* From what a worker wrote to lines in a file: whole lines now, the rest when it is
 * whole, too long, or the last.  Pure: no descriptors, no clock. */
#ifndef HOLDPORT_LOGS_LINES_H
#define HOLDPORT_LOGS_LINES_H

#include <stdbool.h>

#include "base/str.h"

enum { LINES_MOST = 8192 };		/* bytes; a longer line comes in pieces */

struct lines_form {
	const char *front;		/* before each line; "": every byte is as it came */
	bool rest;			/* no more will come: the last line is ended here */
	size_t most;			/* bytes to be added, but for a first line */
};

/* Adds what of bytes can be written now.  How many bytes it took; *ret_lines grows by
 * its lines. */
size_t lines_take(const struct lines_form *form, const char *bytes, size_t count,
		  struct str *out, size_t *ret_lines);

/* The bytes of the first line, its newline among them, or of a piece of it; 0: it is not
 * whole, and more may come (!rest). */
size_t lines_piece(const char *bytes, size_t count, bool rest);

/* How many bytes of it can be written now where nothing is added to any line. */
size_t lines_whole(const char *bytes, size_t count);
/* The bytes of the first `most` lines or pieces of bytes, and how many these are. */
size_t lines_span(const char *bytes, size_t count, size_t most, size_t *ret_lines);
size_t lines_count(const char *bytes, size_t count);

#endif
