#include "logs/ration.h"

#include <stdbool.h>

enum { PARTS = 1000 };

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void ration_set(struct ration *r, int64_t rate, int64_t burst, int64_t now)
{
	bool new = !r->rate;

	r->rate = rate;
	r->burst = burst ? burst : rate;
	r->parts = new ? r->burst * PARTS : least(r->parts, r->burst * PARTS);
	if (new)
		r->at = now;
}

/* A line a second is a thousandth a millisecond. */
static void fill(struct ration *r, int64_t now)
{
	int64_t full = r->burst * PARTS, passed = now - r->at;

	r->at = now;
	if (passed > full / r->rate)
		r->parts = full;
	else
		r->parts = least(full, r->parts + passed * r->rate);
}

size_t ration_take(struct ration *r, size_t lines, int64_t now)
{
	size_t there;

	fill(r, now);
	there = (size_t)(r->parts / PARTS);
	if (lines > there)
		lines = there;
	r->parts -= (int64_t)lines * PARTS;
	return lines;
}

void ration_give_back(struct ration *r, size_t lines)
{
	r->parts += (int64_t)lines * PARTS;
}
