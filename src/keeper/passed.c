#include "keeper/passed.h"

#include "base/clock.h"

enum { TAKEN_WITHIN_MS = 5000 };

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
