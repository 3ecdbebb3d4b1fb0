/* A value taken apart into words or items.
 *
 * Splitting comes before expanding: what an environment variable holds is one
 * word whatever it holds.  So ${…} and $$ pass through untouched here, inside
 * quotes and out. */
#ifndef HOLDPORT_CONFIG_WORDS_H
#define HOLDPORT_CONFIG_WORDS_H

#include "base/err.h"
#include "base/str.h"
#include "base/text_list.h"

/* As a shell splits words: ' and " and backslash; nothing else is special. */
int words_split(const char *text, struct text_list *ret, struct err *err);
/* The word so that words_split() gives it back. */
void words_quote(const char *word, struct str *out);

/* Items between commas and new lines (or new lines only), trimmed; empty ones
 * do not count. */
void items_split(const char *text, const char *separators, struct text_list *ret);

/* Adds text with every dollar doubled, so that an expansion gives it back. */
void str_add_dollars(struct str *out, const char *text);

#endif
