#include "keeper/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/owner.h"
#include "platform/process.h"

enum { TAKEN_WITHIN_MS = 5000 };

static const int passed_down[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 };

/* The writing end for the handler: no handler is given anything but a number. */
static int caught = -1;

static void on_signal(int number)
{
	unsigned char byte = (unsigned char)number;
	int kept = errno;

	(void)!write(caught, &byte, 1);
	errno = kept;
}

int passed_catch(struct err *err)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot make a pipe for signals");
	caught = ends[1];
	(void)sigfillset(&act.sa_mask);
	for (size_t i = 0; i < COUNT(passed_down); i++)
		(void)sigaction(passed_down[i], &act, NULL);
	(void)sigaction(SIGCHLD, &act, NULL);
	(void)sigaction(SIGABRT, &act, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	platform_take_signals();	/* whoever started us may have blocked them */
	return ends[0];
}

void passed_await(struct passed *p, int number)
{
	p->untaken[number]++;
	if (!p->deadline)
		p->deadline = clock_monotonic_ms() + TAKEN_WITHIN_MS;
}

void passed_taken(struct passed *p, int64_t number)
{
	if (number > 0 && number < NSIG && p->untaken[number])
		p->untaken[number]--;
	for (int n = 1; n < NSIG; n++)
		if (p->untaken[n])
			return;
	p->deadline = 0;
}

void passed_take_back(struct passed *p)
{
	for (int n = 1; n < NSIG; n++) {
		p->put_off[n] = p->put_off[n] || p->untaken[n];
		p->untaken[n] = 0;
	}
	p->deadline = 0;
}

int passed_next(struct passed *p, int after)
{
	for (int n = after + 1; n < NSIG; n++)
		if (p->put_off[n]) {
			p->put_off[n] = false;
			return n;
		}
	return 0;
}

void passed_wind_up(struct passed *p)
{
	if (p->deadline)
		p->deadline = clock_monotonic_ms() + TAKEN_WITHIN_MS;
}

void passed_write(const struct passed *p, sigset_t *ret)
{
	(void)sigemptyset(ret);
	for (int n = 1; n < NSIG; n++)
		if (p->untaken[n])
			(void)sigaddset(ret, n);
}

void passed_read(struct passed *p, const sigset_t *set)
{
	for (int n = 1; n < NSIG; n++)
		if (sigismember(set, n) == 1)
			passed_await(p, n);
}
