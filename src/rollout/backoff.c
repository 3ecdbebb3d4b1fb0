#include "rollout/backoff.h"

int64_t backoff_delay(int64_t first, int64_t most, unsigned failures, unsigned random)
{
	int64_t delay = first > 0 ? first : 1;

	for (unsigned i = 1; i < failures && delay < most; i++)
		delay *= 2;
	if (delay > most)
		delay = most;
	return delay - (int64_t)((uint64_t)random % (uint64_t)(delay / 4 + 1));
}

int64_t storm_pause(struct storm *s, int64_t now)
{
	if (s->at == 0)
		s->tokens = STORM_A_SECOND;
	else
		s->tokens += (double)(now - s->at) * STORM_A_SECOND / 1000.;
	if (s->tokens > STORM_A_SECOND)
		s->tokens = STORM_A_SECOND;
	s->at = now ? now : 1;
	s->tokens -= 1;
	return s->tokens >= 0 ? 0 : (int64_t)(-s->tokens * 1000. / STORM_A_SECOND);
}
