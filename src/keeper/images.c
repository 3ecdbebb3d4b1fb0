#include "keeper/images.h"

#include <stdio.h>

#include "base/fd.h"

void images_try(struct images *i, int *fd, int64_t until)
{
	if (*fd < 0 || images_tries(i))
		return;
	i->tried = fd_take(fd);
	i->until = until;
	i->why[0] = '\0';
}

void images_stay(struct images *i)
{
	fd_close(&i->tried);
	i->until = 0;
}

bool images_settle(struct images *i)
{
	if (!images_tries(i))
		return false;
	fd_close(&i->runs);
	i->runs = fd_take(&i->tried);
	images_stay(i);
	return true;
}

void images_roll_back(struct images *i, const struct process_end *end, const char *ended_for)
{
	if (ended_for)
		(void)snprintf(i->why, sizeof(i->why), "%s", ended_for);
	else
		(void)snprintf(i->why, sizeof(i->why), "it ended with %s %d before it reported",
			       end->signal ? "signal" : "exit status",
			       end->signal ? end->signal : end->code);
	images_stay(i);
}
