#include "rollout/leftover.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "intercept/catch.h"
#include "keeper/custody.h"
#include "platform/intercept.h"
#include "rollout/program.h"

struct leftover {
	struct leftover *next;
	struct rollout *rollout;
	struct intercept intercept;
	unsigned kept;			/* in custody */
	char *name;
};

static void leftover_free(struct leftover *l)
{
	struct leftover **at = &l->rollout->leftovers;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	intercept_stop(&l->intercept);
	custody_drop(l->rollout->custody, &l->kept);
	free(l->name);
	free(l);
}

static void on_over(struct intercept *i)
{
	leftover_free(OWNER(i, struct leftover, intercept));
}

/* It binds nothing that is ours: who waits is not told on. */
static void on_listening(struct intercept *i, bool all)
{
	(void)i;
	(void)all;
}

static void leftover_new(struct rollout *r, const char *name, int listener, unsigned kept)
{
	struct leftover *l = MEM_NEW(struct leftover);

	*l = (struct leftover){ .next = r->leftovers, .rollout = r, .kept = kept,
				.name = mem_text(name) };
	r->leftovers = l;
	l->intercept.listens = on_listening;
	l->intercept.stuck = l->intercept.over = on_over;
	intercept_start(&l->intercept, &(struct intercept_spec){ .name = l->name,
								 .store = r->store }, listener);
}

void leftover_of(struct member *m)
{
	struct rollout *r = m->generation->program->rollout;
	int listener = m->intercept.listener;

	if (!m->intercept.listened || door_is(listener) ||
	    platform_trap_pending(listener) == TRAP_OVER)
		return;
	listener = fcntl(listener, F_DUPFD_CLOEXEC, 0);
	if (listener < 0)
		return;
	custody_moved(r->custody, m->kept[MEMBER_LISTENER], listener);
	leftover_new(r, m->name, listener, m->kept[MEMBER_LISTENER]);
	m->kept[MEMBER_LISTENER] = 0;
}

void leftovers_revive(struct rollout *r)
{
	unsigned number;
	int listener;

	while ((number = custody_find(r->custody, "listener"))) {
		listener = custody_claim(r->custody, number, "listener");
		if (!door_is(listener)) {
			leftover_new(r, "a worker that is gone", listener, number);
			continue;
		}
		fd_close(&listener);
		custody_drop(r->custody, &number);
	}
}

void leftovers_end(struct rollout *r)
{
	while (r->leftovers)
		leftover_free(r->leftovers);
	catches_end();
}
