#include "base/fd.h"
#include "platform/count.h"
#include "platform/handle.h"
#include "platform/intercept.h"
#include "platform/platform.h"

#include <netinet/in.h>
#include <unistd.h>

enum { TRY_MS = 1000 };

const char *ability_word(enum ability a)
{
	static const char *const words[] = {
#define X(name, word, help) [CAN_##name] = word,
		ABILITIES(X)
#undef X
	};
	return words[a];
}

static bool try_handle(void)
{
	int handle = platform_handle_open(getpid());
	bool can = handle >= 0;

	fd_close(&handle);
	return can;
}

static bool try_listeners(void)
{
	struct sockaddr_in nowhere = { .sin_family = AF_INET, .sin_port = htons(1) };
	struct holder found;

	return platform_find_listeners((struct sockaddr *)&nowhere, sizeof(nowhere), SOCK_STREAM,
				       &found, 1, NULL) >= 0;
}

static bool try_holds(void)
{
	return platform_holds_socket(getpid(), 0, NULL) >= 0;
}

static bool try_acceptor(void)
{
	return try_listeners() && try_holds();
}

static bool try_waits(void)
{
	return platform_waits_on(getpid(), NULL, 0, NULL) >= 0;
}

static bool try_counting(void)
{
	struct sockaddr_in nowhere = { .sin_family = AF_INET, .sin_port = htons(1) };
	struct count_socket socket = { .sa = (struct sockaddr *)&nowhere,
				       .length = sizeof(nowhere) };
	struct count_worker nobody = { 0 };	/* everybody is below ourselves */

	return platform_count_connections(&socket, 1, &nobody, 1, TRY_MS, NULL) == 0 &&
	       nobody.connections >= 0;
}

static bool try_steer(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool can = fd >= 0 && platform_deafen(fd, 0, NULL) == 0 && platform_hear(fd, NULL, NULL) == 0;

	fd_close(&fd);
	return can;
}

static bool try_hearing(void)
{
	int fd = platform_hear_sockets(1, SOCK_STREAM, true, NULL);
	bool can = fd >= 0;

	fd_close(&fd);
	return can;
}

static bool never(const struct bound *b, void *ctx)
{
	(void)b, (void)ctx;
	return false;
}

static bool try_ending(void)
{
	return platform_end_connections(1, never, NULL, NULL) >= 0;
}

static bool try_intercept(void)
{
	return platform_filter_works(NULL) == 0;
}

static enum { UNKNOWN, YES, NO } answers[ABILITY_COUNT];

bool platform_can(enum ability a)
{
	static bool (*const tries[])(void) = {
		[CAN_INTERCEPT_BIND] = try_intercept,
		[CAN_HOLD_PROCESS] = try_handle,
		[CAN_FIND_LISTENER] = try_listeners,
		[CAN_FIND_ACCEPTOR] = try_acceptor,
		[CAN_SEE_WAITING] = try_waits,
		[CAN_COUNT_CONNECTIONS] = try_counting,
		[CAN_STEER] = try_steer,
		[CAN_HEAR_SOCKETS] = try_hearing,
		[CAN_END_CONNECTIONS] = try_ending,
	};

	if (answers[a] == UNKNOWN)
		answers[a] = tries[a]() ? YES : NO;
	return answers[a] == YES;
}

bool platform_could(enum ability a)
{
	return answers[a] == YES;
}

void platform_believe(enum ability a)
{
	answers[a] = YES;
}
