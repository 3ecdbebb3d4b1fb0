/* Facts as text: a line each, a word and then what is known, by name:
 *
 *	worker pid=4711 born=88231 state="serving" status="3 clients"
 *
 * Numbers are bare, texts in quotes with \\, \" and \xNN in them.  Who reads asks
 * for names; what he does not ask for is passed over, and what is not there has
 * the value that he says. */
#ifndef HOLDPORT_KEEPER_FACTS_H
#define HOLDPORT_KEEPER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

void fact_begin(struct str *out, const char *word);
void fact_number(struct str *out, const char *key, int64_t value);
void fact_text(struct str *out, const char *key, const char *value);	/* NULL: nothing */
void fact_end(struct str *out);

struct fact_pair {
	char *key, *value;
};

struct fact {
	char *word;
	struct fact_pair *pairs;	/* all of it stands behind them, in one piece of memory */
	size_t count;
};

/* One line, without its end.  -1: it is no fact. */
int fact_read(const char *line, size_t length, struct fact *ret);
void fact_fini(struct fact *f);
bool fact_is(const struct fact *f, const char *word);
const char *fact_get(const struct fact *f, const char *key);	/* NULL: not said */
int64_t fact_int(const struct fact *f, const char *key, int64_t otherwise);
bool fact_bool(const struct fact *f, const char *key);

#endif
