#include "intercept/report.h"

#include "base/pass.h"
#include "process/wire.h"

/* Nothing is said before this but what fits into the socket, so it does not wait. */
static void say(const struct report *r, enum wire_word word, int why)
{
	const struct wire_answer a = { .word = word, .why = why };

	(void)send(r->visitor, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT);
}

int report_replace(const struct report *r, int fd)
{
	const struct wire_answer a = { .word = WIRE_REPLACE };

	return r->visitor < 0 ? platform_trap_replace(r->listener, &r->trap, fd)
			      : pass_send(r->visitor, &a, sizeof(a), fd);
}

void report_answer(const struct report *r, int why)
{
	if (r->visitor < 0)
		platform_trap_answer(r->listener, &r->trap, why);
	else
		say(r, WIRE_ANSWER, why);
}

void report_continue(const struct report *r)
{
	if (r->visitor < 0)
		platform_trap_continue(r->listener, &r->trap);
	else
		say(r, WIRE_CONTINUE, 0);
}
