/* What the program knows of itself, as text: the files in the tree that are
 * printed and not written (tests/lint/fresh compares them). */
#ifndef HOLDPORT_SUPERVISOR_PRINT_H
#define HOLDPORT_SUPERVISOR_PRINT_H

#include <stdbool.h>
#include <stdio.h>

/* word: "example", "reference", "states", "options-mdoc".  False: no such text. */
bool print_text(const char *word, FILE *out);
/* "example, reference, …" */
void print_words(FILE *out);

#endif
