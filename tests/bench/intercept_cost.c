/* intercept_cost ROUNDS: what an intercepted bind(2) costs, and what a worker pays that
 * never calls one.
 *
 * A line each round: nanoseconds of a system call without the filter and with it, and
 * microseconds of a bind(2) of a worker's own, of one that goes on untouched, and of
 * one that is answered with a held socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pass.h"
#include "platform/intercept.h"

enum { CALLS = 200000, BINDS = 50 };

static _Noreturn void fatal(const char *what)
{
	fprintf(stderr, "intercept_cost: %s: %s\n", what, strerror(errno));
	exit(errno == EPERM || errno == EACCES || errno == EBUSY || errno == ENOTSUP ? 4 : 1);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double one_call(void)
{
	double began = now_ns();

	for (int i = 0; i < CALLS; i++)
		(void)getppid();
	return (now_ns() - began) / CALLS;
}

/* To any port: what follows is up to who intercepts it. */
static double one_bind(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	double sum = 0;

	for (int i = 0; i < BINDS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		double began = now_ns();

		if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
			fatal("bind");
		sum += now_ns() - began;
		close(fd);
	}
	return sum / BINDS / 1000;
}

static _Noreturn void worker(int channel, const struct filter *f)
{
	double plain = one_call(), own = one_bind(), filtered, let, held;
	int listener = platform_filter_install(f);

	if (listener < 0 || pass_send(channel, "x", 1, listener) < 0)
		fatal("filter");
	filtered = one_call();
	let = one_bind();
	held = one_bind();
	printf("%.1f %.1f %.1f %.1f %.1f\n", plain, filtered, own, let, held);
	exit(0);
}

/* As src/intercept does it, but for the deadline. */
static void answer_one(int listener, int held)
{
	struct process catcher;
	struct pollfd news = { .events = POLLIN };
	struct err err;
	struct trap t;
	int result, own = -1;

	if (platform_trap_catch(listener, &catcher, &result, &err) < 0)
		fatal(err.text);
	news.fd = catcher.handle;
	(void)poll(&news, 1, -1);
	if (!platform_trap_caught(result, &t, &own))
		fatal("nothing was caught");
	platform_reap(&catcher);
	fd_close(&result);
	if (held < 0)
		platform_trap_continue(listener, &t);
	else if (platform_trap_is_elsewhere(&t) || platform_trap_replace(listener, &t, held) < 0)
		fatal("replace");
	else
		platform_trap_answer(listener, &t, 0);
	fd_close(&own);
}

static void measure(const struct filter *f)
{
	int channel[2], held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), listener = -1;
	struct pollfd news = { .events = POLLIN };
	char byte;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0 || held < 0 ||
	    listen(held, 16) < 0)
		fatal("sockets");
	pid = fork();
	if (pid == 0)
		worker(channel[1], f);
	fd_close(&channel[1]);
	news.fd = channel[0];
	(void)poll(&news, 1, -1);
	if (pass_receive(channel[0], &byte, 1, &listener) != 1 || listener < 0)
		fatal("no listener");
	for (int i = 0; i < 2 * BINDS; i++)
		answer_one(listener, i < BINDS ? -1 : held);
	(void)waitpid(pid, NULL, 0);
	fd_close(&channel[0]);
	fd_close(&listener);
	fd_close(&held);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	struct err err;
	const struct filter *f = platform_filter(false, &err);

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (!f || platform_filter_works(&err) < 0) {
		fprintf(stderr, "intercept_cost: %s\n", err.text);
		return 4;
	}
	while (rounds-- > 0)
		measure(f);
	return 0;
}
