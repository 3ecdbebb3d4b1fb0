#include "supervisor/heir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
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

/* holdportd manage 5 run -c FILE → holdportd keep 9 run -c FILE */
static char **keeper_words(char **ours, char *file)
{
	static char keep[] = KEEPER_KEEP;
	char **words = mem_words(ours, 0);

	words[1] = keep;
	words[2] = file;
	return words;
}

/* Returns only when it cannot. */
static int become_keeper(struct supervisor *s, struct err *err)
{
	int image = platform_own_image(s->words[0]), file = -1;
	char number[NUMBER_SIZE], **words = keeper_words(s->words, number);

	if (image < 0)
		(void)err_sys(err, errno, "cannot hold our own executable");
	else if ((file = bequest_write(&s->memory.custody, err)) >= 0) {
		(void)snprintf(number, sizeof(number), "%d", file);
		(void)fexecve(image, words, environ);
		(void)err_sys(err, errno, "cannot run it");
	}
	bequest_undo(&s->memory.custody, &file);
	fd_close(&image);
	free(words);
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
	(void)sigprocmask(SIG_SETMASK, &s->heir.signals, NULL);
	if (!s->heir.failed)
		log_error("this manager goes on without a keeper and cannot become one: %s; it is "
			  "tried again every second", err.text);
	s->heir.failed = true;
	loop_timer_start(s->loop, &s->heir.due, AGAIN_MS, on_due);
}

/* A signal that comes from now on is for the keeper that we shall be; those that came
 * before are heard in this turn. */
static void on_due(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, heir.due);
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &s->heir.signals);
	loop_later_start(s->loop, &s->heir.become, on_become);
}

void supervisor_lose_keeper(struct supervisor *s)
{
	log_error("the keeper above this manager has ended; the manager takes its place, and is "
		  "followed by another one");
	loop_timer_start(s->loop, &s->heir.due, 0, on_due);
}
