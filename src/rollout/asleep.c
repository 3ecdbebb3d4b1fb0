#include "rollout/asleep.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "rollout/asks.h"
#include "rollout/step.h"
#include "rollout/takeover.h"
#include "socket/group.h"

/* At one socket. */
struct ear {
	struct list node;
	struct program *program;
	const struct held *held;
	struct loop_io io;
};

static void stop_listening(struct program *p)
{
	if (!p->ears.next)
		return;
	list_each_safe(e, &p->ears, struct ear, node) {
		loop_io_stop(&e->io);
		list_remove(&e->node);
		free(e);
	}
}

bool asleep_end(struct program *p)
{
	bool was = p->asleep;

	stop_listening(p);
	p->asleep = false;
	return was;
}

static void on_somebody(struct loop_io *io, int events)
{
	struct ear *e = OWNER(io, struct ear, io);
	struct program *p = e->program;
	char *text = mem_format("somebody came to socket %s", e->held->settings->name);

	(void)events;
	(void)asleep_end(p);
	p->wish++;
	p->failures = 0;
	program_on(p, PROGRAM_EV_START, text);
	program_kick(p);
	free(text);
}

static void listen_to(struct program *p, const struct held *h)
{
	struct ear *e;

	if (h->state != HELD_LISTENING)
		return;		/* it will be, and we are told then */
	e = MEM_NEW(struct ear);
	e->program = p;
	e->held = h;
	list_append(&p->ears, &e->node);
	loop_io_start(p->rollout->loop, &e->io, h->fd, LOOP_READ, on_somebody);
}

static void listen_to_all(struct program *p)
{
	stop_listening(p);
	list_init(&p->ears);
	for (size_t i = 0; i < p->wanted->held_count; i++)
		for (size_t k = 0; k < group_size(p->wanted->held[i]); k++)
			listen_to(p, group_slot(p->wanted->held[i], k));
}

void program_sleep(struct program *p)
{
	asks_settle(p, ASK_DOWN, false, "was started again meanwhile", NULL);
	p->up = p->asleep = true;
	program_kick(p);
}

void asleep_again(struct program *p)
{
	int64_t now = loop_now(p->rollout->loop), pause = storm_pause(&p->storm, now);

	if (pause) {
		log_warning("%s: comes and goes; slowed to 10 a second", p->name);
		program_retry_at(p, now + pause);
	}
	p->asleep = true;
	p->done_wish = p->wish;
	asks_settle(p, ASK_UP, true, "sleeps; the next one who comes starts it", NULL);
	asks_settle(p, ASK_SCALE, true, "sleeps; it will have as many workers when it wakes",
		    NULL);
	program_on(p, PROGRAM_EV_FINISHED, "ended as it should");
	program_kick(p);
}

void asleep_step(struct program *p)
{
	program_let_go(p);
	rollout_steer(p->rollout);
	step_bury_empty(p);
	if (!list_empty(&p->generations))
		return;
	program_on(p, PROGRAM_EV_EMPTY, NULL);
	step_note_waiting(p, "starts when somebody comes to its sockets (start = on-demand)");
	if (!loop_timer_runs(&p->retry))
		listen_to_all(p);
}
