#include "config/nearest.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 64	/* beyond it nobody is helped by a guess */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Optimal string alignment: insert, drop, replace, or swap neighbours. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			now[j] = least(up[j] + 1, now[j - 1] + 1,
				       up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    upper[j - 2] + 1 < now[j])
				now[j] = upper[j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

const char *nearest(const char *word, const struct text_list *names)
{
	size_t length = strlen(word), best = length / 3 + 1;
	const char *found = NULL;

	if (length > LONGEST)
		return NULL;
	for (size_t i = 0; i < names->count; i++) {
		size_t d =
			strlen(names->items[i]) > LONGEST ? best : distance(word, names->items[i]);

		if (d < best) {
			best = d;
			found = names->items[i];
		}
	}
	return found;
}

const char *nearest_hint(const char *word, const struct text_list *names, char buf[NEAREST_SIZE])
{
	const char *found = nearest(word, names);

	buf[0] = '\0';
	if (found)
		(void)snprintf(buf, NEAREST_SIZE, "; did you mean \"%s\"?", found);
	return buf;
}
