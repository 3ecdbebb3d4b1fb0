#include "base/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_ROOM = 16 };

size_t names_hash(const char *text)
{
	size_t hash = 5381;

	while (*text)
		hash = hash * 33 + (unsigned char)*text++;
	return hash;
}

/* Where it is, or would be: from its own place on, for one that is taken by another. */
static struct name *place_of(const struct names *n, const char *text)
{
	size_t at = names_hash(text) & (n->room - 1);

	while (n->places[at].text && strcmp(n->places[at].text, text) != 0)
		at = (at + 1) & (n->room - 1);
	return &n->places[at];
}

/* Never more than half full: so there is always an end to looking. */
static void make_room(struct names *n)
{
	struct names before = *n;

	if (2 * (n->count + 1) <= n->room)
		return;
	n->room = n->room ? 2 * n->room : FIRST_ROOM;
	n->places = mem_new(n->room * sizeof(*n->places));
	for (size_t i = 0; i < before.room; i++)
		if (before.places[i].text)
			*place_of(n, before.places[i].text) = before.places[i];
	free(before.places);
}

void names_put(struct names *n, const char *text, void *what)
{
	struct name *place;

	make_room(n);
	place = place_of(n, text);
	if (place->text)
		return;
	*place = (struct name){ text, what };
	n->count++;
}

void *names_find(const struct names *n, const char *text)
{
	return n->room ? place_of(n, text)->what : NULL;
}

void names_fini(struct names *n)
{
	free(n->places);
	*n = (struct names){ 0 };
}
