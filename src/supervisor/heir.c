#include "supervisor/heir.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/owner.h"
#include "keeper/bequest.h"
#include "keeper/keeper.h"
#include "rollout/record.h"

enum { AGAIN_MS = 1000, NUMBER_SIZE = 12 };

void supervisor_write_down(struct supervisor *s)
{
	list_each(p, &s->rollout.programs, struct program, node)
		memory_of_program(p, s);
	memory_of_whole(s);
}

int supervisor_become(struct supervisor *s, int image, char *word, char *numbers,
		      char *const *environment)
{
	char *ours[] = { s->words[1], s->words[2] };
	int why;

	s->words[1] = word;
	s->words[2] = numbers;
	(void)platform_become(image, s->words, environment);
	why = errno;
	s->words[1] = ours[0];
	s->words[2] = ours[1];
	return why;
}

/* holdportd manage 5 run -c FILE → holdportd keep 9 run -c FILE.  Returns only when it
 * cannot. */
static int become_keeper(struct supervisor *s, struct err *err)
{
	static char keep[] = KEEPER_KEEP;
	char number[NUMBER_SIZE];
	int image = platform_own_image(s->words[0]), file = -1;

	if (image < 0)
		(void)err_sys(err, errno, "cannot hold our own executable");
	else if ((file = bequest_write(&s->memory.custody, err)) >= 0) {
		(void)snprintf(number, sizeof(number), "%d", file);
		(void)err_sys(err, supervisor_become(s, image, keep, number, environ),
			      "cannot run it");
	}
	bequest_undo(&s->memory.custody, &file);
	fd_close(&image);
	return -1;
}

static void on_due(struct loop_timer *t);

static void on_become(struct loop_later *l)
{
	struct supervisor *s = OWNER(l, struct supervisor, heir.become);
	struct err err;

	if (s->state >= MANAGER_LEFT)
		return;
	supervisor_write_down(s);
	(void)become_keeper(s, &err);
	platform_take_signals();
	if (!s->heir.failed)
		log_error("this manager goes on without a keeper and cannot become one: %s; it is "
			  "tried again every second", err.text);
	s->heir.failed = true;
	loop_timer_start(s->loop, &s->heir.due, AGAIN_MS, on_due);
}

static void on_hushed(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, heir.due);

	loop_later_start(s->loop, &s->heir.become, on_become);
}

/* A signal that comes from now on is for the keeper that we shall be. */
static void on_due(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, heir.due);

	loop_hush(s->loop, t, on_hushed);
}

void supervisor_lose_keeper(struct supervisor *s)
{
	log_error("the keeper above this manager has ended; the manager takes its place, and is "
		  "followed by another one");
	loop_timer_start(s->loop, &s->heir.due, 0, on_due);
}
