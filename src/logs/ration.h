/* How many lines a program may say: so many a second, and so many at once.
 * Pure: it is told the time. */
#ifndef HOLDPORT_LOGS_RATION_H
#define HOLDPORT_LOGS_RATION_H

#include <stddef.h>
#include <stdint.h>

struct ration {
	int64_t rate, burst;		/* lines a second; at once */
	int64_t parts;			/* thousandths of lines that may be said now */
	int64_t at;			/* when that was so, ms */
};

/* burst 0: what comes in a second.  What was said before counts on. */
void ration_set(struct ration *r, int64_t rate, int64_t burst, int64_t now);
/* How many of these may be said. */
size_t ration_take(struct ration *r, size_t lines, int64_t now);
void ration_give_back(struct ration *r, size_t lines);

#endif
