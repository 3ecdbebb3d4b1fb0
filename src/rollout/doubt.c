#include "rollout/doubt.h"

bool doubt_condemns(const struct doubt *d)
{
	if (d->judged || !d->has_better || d->age > d->window || !d->window)
		return false;
	return d->sick || d->given_up || d->deaths >= DOUBT_DEATHS;
}
