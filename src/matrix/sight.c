#include "matrix/sight.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/owner.h"
#include "matrix/spot.h"
#include "platform/platform.h"

/* At the port: one connection in a state, and listeners. */
static const struct sight {
	int tcp_state;			/* 0: no connection */
	int listeners;
} sights[MATRIX_STATES] = {
	[MATRIX_LISTEN] = { 0, 1 },
	[MATRIX_ESTABLISHED_LISTEN] = { TCP_ESTABLISHED, 1 },
	[MATRIX_ESTABLISHED] = { TCP_ESTABLISHED, 0 },
	[MATRIX_CLOSE_WAIT] = { TCP_CLOSE_WAIT, 0 },
	[MATRIX_FIN_WAIT_1] = { TCP_FIN_WAIT1, 0 },
	[MATRIX_FIN_WAIT_2] = { TCP_FIN_WAIT2, 0 },
	[MATRIX_CLOSING] = { TCP_CLOSING, 0 },
	[MATRIX_LAST_ACK] = { TCP_LAST_ACK, 0 },
	[MATRIX_TIME_WAIT] = { TCP_TIME_WAIT, 0 },
	[MATRIX_CONNECTED] = { TCP_ESTABLISHED, 0 },
	[MATRIX_CONNECTED_SAME] = { TCP_ESTABLISHED, 0 },
};

struct seen {
	unsigned counts[12], sum;
	int listeners;
};

static int look(int port, struct seen *ret, struct err *err)
{
	struct spot all = spot_everywhere(port);
	struct left_at at = { .sa = SPOT(&all) };

	*ret = (struct seen){ .sum = 0 };
	if (platform_count_leftovers(&at, 1, err))
		return -1;
	memcpy(ret->counts, at.counts, sizeof(ret->counts));
	ret->listeners = platform_find_listeners(SPOT(&all), all.length, SOCK_STREAM, NULL, 0,
						 err);
	for (size_t i = 0; i < COUNT(ret->counts); i++)
		ret->sum += ret->counts[i];
	return ret->listeners < 0 ? -1 : 0;
}

static bool as_it_should(const struct seen *seen, const struct sight *sight)
{
	unsigned wanted = sight->tcp_state != 0;

	return seen->listeners == sight->listeners && seen->sum == wanted &&
	       (!wanted || seen->counts[sight->tcp_state] == 1);
}

static const char *instead(const struct seen *seen)
{
	for (int s = 0; s < MATRIX_STATES; s++)
		if (sights[s].tcp_state && seen->counts[sights[s].tcp_state])
			return matrix_state_word(s == MATRIX_ESTABLISHED_LISTEN ?
						 MATRIX_ESTABLISHED : (enum matrix_state)s);
	return seen->listeners ? "LISTEN" : "nothing";
}

int sight_check(int port, enum matrix_state state, struct err *err)
{
	struct seen seen;

	if (look(port, &seen, err))
		return -1;
	if (as_it_should(&seen, &sights[state]))
		return 0;
	if (seen.sum > (sights[state].tcp_state != 0) ||
	    seen.listeners > sights[state].listeners)
		return err_set(err, EADDRINUSE, "somebody else came to the same port");
	return err_set(err, 0, "the state was not reached: the system shows %s", instead(&seen));
}

static void pause_a_little(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
}

int sight_await(int port, enum matrix_state state, struct err *err)
{
	int64_t end = clock_monotonic_ms() + PATIENCE_MS;
	struct err why = { 0 };

	while (sight_check(port, state, &why)) {
		if (why.code == ENOTSUP || clock_monotonic_ms() >= end)
			return err_set(err, why.code, "%s", why.text);
		pause_a_little();
	}
	return 0;
}

unsigned sight_await_nothing(int port, int most_ms)
{
	int64_t end = clock_monotonic_ms() + most_ms;
	struct seen seen;

	while (look(port, &seen, NULL) == 0 && seen.sum && clock_monotonic_ms() < end)
		pause_a_little();
	return seen.sum;
}
