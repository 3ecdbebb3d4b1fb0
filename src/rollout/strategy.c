#include "rollout/strategy.h"

static size_t count_target(const struct strategy_view *v, enum seat_sight sight)
{
	size_t n = 0;

	for (size_t i = 0; i < v->wanted; i++)
		n += i < v->count && v->target[i] == sight;
	return n;
}

/* The old seat goes when the new one at its place is proved. */
static void rolling(const struct strategy_view *v, unsigned *steps)
{
	size_t opening = count_target(v, SEAT_OPENING);

	for (size_t i = 0; i < v->wanted; i++) {
		if (v->target[i] == SEAT_PROVED && v->others[i])
			steps[i] |= SEAT_CLOSE_OTHERS;
		else if (v->target[i] == SEAT_CLOSED && opening < v->batch) {
			steps[i] |= SEAT_OPEN;
			opening++;
		}
	}
}

/* All new seats at once; the old ones go when the caller is told "complete". */
static void overlap(const struct strategy_view *v, unsigned *steps)
{
	for (size_t i = 0; i < v->wanted; i++)
		if (v->target[i] == SEAT_CLOSED)
			steps[i] |= SEAT_OPEN;
}

/* First nobody, then the new: clients wait in the held socket. */
static void replace(const struct strategy_view *v, unsigned *steps)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->others[i])
			steps[i] |= SEAT_CLOSE_OTHERS;
	if (!v->others_alive)
		overlap(v, steps);
}

bool strategy_next(const struct strategy_view *v, unsigned *steps)
{
	static void (*const by_strategy[])(const struct strategy_view *, unsigned *) = {
		[STRATEGY_ROLLING] = rolling,
		[STRATEGY_OVERLAP] = overlap,
		[STRATEGY_REPLACE] = replace,
	};

	for (size_t i = 0; i < v->count; i++)
		steps[i] = i >= v->wanted && v->target[i] != SEAT_CLOSED ? SEAT_CLOSE : SEAT_KEEP;
	by_strategy[v->strategy](v, steps);
	return count_target(v, SEAT_PROVED) == v->wanted;
}
