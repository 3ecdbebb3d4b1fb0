#include "rollout/memory_look.h"

#include "base/log.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "rollout/renewal.h"

enum { LOOK_FIRST_MS = 1000, LOOK_MOST_MS = 30000, MIB = 1 << 20 };

static void look_at(struct member *m, int64_t most)
{
	int64_t bytes;

	if (m->worker.state != WORKER_SERVING || m->renew & 1U << RENEW_MEMORY ||
	    platform_memory_of(m->worker.pid, &bytes, NULL) < 0 || bytes <= most)
		return;
	log_notice("%s: worker %ld has %lld MiB of memory", m->name, (long)m->worker.pid,
		   (long long)bytes / MIB);
	renewal_wanted(m, RENEW_MEMORY);
}

static void on_look(struct loop_timer *t)
{
	struct program *p = OWNER(t, struct program, memory_look);

	list_each(m, &p->current->members, struct member, node)
		if (m->seat)
			look_at(m, p->current->means->program->max_memory);
	p->memory_pause = p->memory_pause * 2 > LOOK_MOST_MS ? LOOK_MOST_MS : p->memory_pause * 2;
	loop_timer_start(p->rollout->loop, t, p->memory_pause, on_look);
}

void memory_look_begin(struct program *p)
{
	memory_look_end(p);
	if (!p->current || p->current->means->program->max_memory <= 0)
		return;
	p->memory_pause = LOOK_FIRST_MS;
	loop_timer_start(p->rollout->loop, &p->memory_look, p->memory_pause, on_look);
}

void memory_look_end(struct program *p)
{
	loop_timer_stop(&p->memory_look);
}
