#include "rollout/renew.h"

#include "rollout/backoff.h"

enum { LONGEST = 64, FORGOTTEN_AFTER = 4 };	/* intervals; pauses */

const char *renew_text(enum renew_why why)
{
	static const char *const texts[] = {
#define X(name, text) [RENEW_##name] = text,
		RENEW_WHYS(X)
#undef X
	};
	return texts[why];
}

enum renew_why renew_most(unsigned whys)
{
	for (int why = RENEW_WHY_COUNT - 1; why > RENEW_NOT; why--)
		if (whys & 1U << why)
			return (enum renew_why)why;
	return RENEW_NOT;
}

static int most_urgent(const struct renew_view *v)
{
	int best = -1;

	for (size_t i = 0; i < v->count; i++) {
		const struct renew_seat *s = &v->seats[i], *b = &v->seats[best < 0 ? 0 : best];

		if (s->serves && s->why && (best < 0 || s->why > b->why ||
					    (s->why == b->why && s->since < b->since)))
			best = (int)i;
	}
	return best;
}

static bool all_serve(const struct renew_view *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (!v->seats[i].serves)
			return false;
	return true;
}

static bool all_well(const struct renew_view *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (!v->seats[i].serves || v->seats[i].why == RENEW_HEALTH)
			return false;
	return true;
}

static bool any_busy(const struct renew_view *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->seats[i].busy)
			return true;
	return false;
}

int renew_next(const struct renew_view *v)
{
	int next = most_urgent(v);

	if (next < 0 || any_busy(v))
		return -1;
	if (v->alone && !all_serve(v))
		return -1;
	if (v->seats[next].why == RENEW_HEALTH)
		return next;
	/* Trouble elsewhere: what is well is not touched. */
	return all_well(v) || v->count == 1 ? next : -1;
}

static int64_t pause_after(unsigned count, int64_t interval)
{
	return count ? backoff_delay(interval, LONGEST * interval, count, 0) : 0;
}

void renewals_note(struct renewals *r, int64_t interval, int64_t now)
{
	if (now - r->last > FORGOTTEN_AFTER * pause_after(r->count, interval))
		r->count = 0;
	r->count++;
	r->last = now;
}

int64_t renewals_not_before(const struct renewals *r, int64_t interval)
{
	return r->count ? r->last + pause_after(r->count, interval) : 0;
}
