/* Memory that is there, or an end that is clean.
 *
 * On the systems that we run on, a small allocation does not fail before the
 * kernel has begun to kill processes; a supervisor that unwinds half a restart
 * for want of 80 bytes would meet the next failure in the unwinding.  So these
 * never return NULL: they say so and abort, and what follows is the same
 * recovery as after any other crash (docs/decisions/0001-memory.md).
 * Whatever an outsider can make large has a limit of its own and fails softly
 * before it comes here. */
#ifndef HOLDPORT_BASE_MEM_H
#define HOLDPORT_BASE_MEM_H

#include <stddef.h>

void *mem_new(size_t size);				/* zeroed */
void *mem_grow(void *old, size_t count, size_t size);	/* as reallocarray() */
char *mem_text(const char *text);			/* as strdup(); NULL stays NULL */
char *mem_text_n(const char *text, size_t length);
/* A list that ends with NULL, behind `front` places of yours.  The words stay theirs. */
char **mem_words(char *const *words, size_t front);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define MEM_NEW(type) ((type *)mem_new(sizeof(type)))

#endif
