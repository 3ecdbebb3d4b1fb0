/* Names, and what each stands for: found at once, however many there are.
 *
 * Only added to.  Neither the names nor what they stand for is owned. */
#ifndef HOLDPORT_BASE_NAMES_H
#define HOLDPORT_BASE_NAMES_H

#include <stddef.h>

/* All zeroes is empty. */
struct names {
	struct name {
		const char *text;	/* NULL: nobody is here */
		void *what;
	} *places;
	size_t room, count;		/* room: 0, or a power of two */
};

/* Of two with one name the first counts. */
void names_put(struct names *n, const char *text, void *what);
void *names_find(const struct names *n, const char *text);	/* NULL: there is no such */
void names_fini(struct names *n);
/* Two that differ in it are two names (Bernstein's, times 33). */
size_t names_hash(const char *text);

#endif
