/* Two clocks.  Deadlines use the monotonic one, which nobody can set; the
 * other is only for showing a person when something was. */
#ifndef HOLDPORT_BASE_CLOCK_H
#define HOLDPORT_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds, microseconds of CLOCK_MONOTONIC. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

#define CLOCK_RFC3339_SIZE 32
/* "2026-11-22T10:43:00Z" into buf (RFC 3339, UTC); returns buf. */
const char *clock_rfc3339(time_t when, char buf[CLOCK_RFC3339_SIZE]);

#define CLOCK_DURATION_SIZE 32
/* "250ms", "1.5s", "2m", "3h", "1d" as a user would write it; returns buf. */
const char *clock_duration(int64_t ms, char buf[CLOCK_DURATION_SIZE]);

#endif
