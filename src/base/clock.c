#include "base/clock.h"

#include <stdio.h>

#include "base/owner.h"

int64_t clock_monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const char *clock_rfc3339(time_t when, char buf[CLOCK_RFC3339_SIZE])
{
	struct tm utc;

	if (!gmtime_r(&when, &utc) ||
	    !strftime(buf, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc))
		buf[0] = '\0';
	return buf;
}

const char *clock_duration(int64_t ms, char buf[CLOCK_DURATION_SIZE])
{
	static const struct {
		int64_t ms;
		const char *word;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };

	for (size_t i = 0; i < COUNT(units); i++)
		if (ms && ms % units[i].ms == 0) {
			(void)snprintf(buf, CLOCK_DURATION_SIZE, "%lld%s",
				       (long long)(ms / units[i].ms), units[i].word);
			return buf;
		}
	if (ms > 1000)
		(void)snprintf(buf, CLOCK_DURATION_SIZE, "%.1fs", (double)ms / 1000.);
	else
		(void)snprintf(buf, CLOCK_DURATION_SIZE, ms ? "%lldms" : "%llds", (long long)ms);
	return buf;
}
