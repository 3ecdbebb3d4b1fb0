/* How long until the next attempt.  Pure. */
#ifndef HOLDPORT_ROLLOUT_BACKOFF_H
#define HOLDPORT_ROLLOUT_BACKOFF_H

#include <stdint.h>

/* After `failures` attempts in a row that were never proved (1: the first):
 * first, doubled each time up to most, less up to a quarter by `random` (any
 * number), so that programs that fell together do not rise together. */
int64_t backoff_delay(int64_t first, int64_t most, unsigned failures, unsigned random);

/* A storm of proved workers that die is let through at 10 a second. */
enum { STORM_A_SECOND = 10 };
struct storm {
	double tokens;
	int64_t at;		/* ms; 0: never used */
};
/* 0: at once; else the pause in ms. */
int64_t storm_pause(struct storm *s, int64_t now);

#endif
