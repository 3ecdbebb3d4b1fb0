/* Lines for inih, and whole values back from it.
 *
 * The system's inih has a line buffer of 200 bytes, cuts a value at " ;", does
 * not say in which line a value stands, does not mention a section without
 * keys and keeps silent about a name that it cut at 49 bytes.  All of that is
 * fixed when the library is built.  What is ours is the reader that it asks
 * for each line; so the reader counts lines, hands out long ones in pieces,
 * hides what the library would take for a comment, and refuses by itself
 * every line that the library would pass over. */
#ifndef HOLDPORT_CONFIG_INI_LINES_H
#define HOLDPORT_CONFIG_INI_LINES_H

#include <stdio.h>

#define INI_LINE_MOST 65536	/* bytes in a line, without its end */
#define INI_NAME_MOST 49	/* bytes in the name of a section or key */

struct ini_lines_to {
	/* name NULL: a section that could not be read; what follows belongs to none. */
	void (*section)(void *ctx, const char *name, unsigned line);
	/* Once a key; continuation lines are joined to it by new lines. */
	void (*value)(void *ctx, const char *key, const char *value, unsigned line);
	void (*fault)(void *ctx, unsigned line, const char *text);
	void *ctx;
};

/* Reads to the end, whatever it meets. */
void ini_lines_read(FILE *in, const struct ini_lines_to *to);

#endif
