/* The known name that a mistyped one was probably meant to be. */
#ifndef HOLDPORT_CONFIG_NEAREST_H
#define HOLDPORT_CONFIG_NEAREST_H

#include "base/text_list.h"

/* One of names within a third of the word's length in edits (a swap of two
 * neighbours is one edit), or NULL if none is that near. */
const char *nearest(const char *word, const struct text_list *names);

/* "; did you mean \"workers\"?" or "", for the end of a fault's sentence. */
#define NEAREST_SIZE 96
const char *nearest_hint(const char *word, const struct text_list *names, char buf[NEAREST_SIZE]);

#endif
