/* What the command says: complaints, tables, colours.
 *
 * Whatever a worker, a peer or a configuration supplied is a cell or a word
 * here, and goes out escaped: it cannot move the terminal's cursor. */
#ifndef HOLDPORT_CLI_OUTPUT_H
#define HOLDPORT_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

/* "holdport: …" to standard error; returns code. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All that was printed is out: code; otherwise says so and OUTCOME_FAILED. */
int output_finish(int code);
/* To standard output at once; false when nobody can read it any more. */
bool output_now(const struct str *text);
/* As JSON whose texts cannot move a terminal's cursor either. */
void str_add_dump(struct str *s, const json_t *j, size_t flags);
int output_json(const json_t *j, size_t flags);	/* 0; what is wrong shows at the end */

enum paint { PAINT_NONE, PAINT_HEAD, PAINT_GOOD, PAINT_BUSY, PAINT_BAD, PAINT_DIM };
enum paint paint_of_state(const char *state);

/* Text with columns that fit; one with a head but nothing below it is left out. */
struct table {
	const char *columns;		/* a letter each: 'l' or 'r', as it is aligned */
	struct cell *cells;
	size_t count;
};

void table_head(struct table *t, const char *columns, const char *const *names);
void table_text(struct table *t, enum paint paint, const char *text);	/* NULL: empty */
void table_format(struct table *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void table_print(const struct table *t, bool color, struct str *out);
void table_fini(struct table *t);

/* Members of JSON objects, with a substitute where they are null or absent. */
const char *json_text(const json_t *object, const char *key);		/* NULL */
long long json_number(const json_t *object, const char *key);		/* -1 */
void str_add_json(struct str *s, const json_t *object, const char *key);	/* escaped */

#endif
