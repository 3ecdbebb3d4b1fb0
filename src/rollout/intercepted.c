#include "rollout/intercepted.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/owner.h"
#include "keeper/custody.h"
#include "platform/intercept.h"
#include "process/way.h"
#include "rollout/program.h"

static void on_listening(struct intercept *i, bool all)
{
	struct member *m = OWNER(i, struct member, intercept);

	program_touch(m->generation->program);
	if (all)
		proof_listens(&m->proof);
}

static void on_stuck(struct intercept *i)
{
	struct member *m = OWNER(i, struct member, intercept);

	log_error("%s: worker %ld calls bind(2) or listen(2), and what it calls it with cannot be "
		  "read; it is ended", m->name, (long)m->worker.pid);
	worker_on(&m->worker, WORKER_EV_KILL);
}

static void start(struct member *m, uint64_t listened)
{
	struct intercept_spec spec = {
		.name = m->name, .store = m->generation->program->rollout->store,
		.permits = { m->held, m->means->held_count },
		.listened = listened,
	};

	/* Without it a bind(2) of the worker would fail once we are gone. */
	if (!m->kept[MEMBER_LISTENER]) {
		m->kept[MEMBER_LISTENER] =
			custody_hold(m->generation->program->rollout->custody,
				     m->worker.listener, "listener");
		program_touch(m->generation->program);
	}
	m->intercept.listens = on_listening;
	m->intercept.stuck = on_stuck;
	intercept_start(&m->intercept, &spec, fd_take(&m->worker.listener));
}

void intercepted_filter(struct member *m)
{
	start(m, 0);
}

/* Only where nothing better is there. */
int intercepted_prepare(struct member *m, const struct program_settings *s, struct err *err)
{
	if (!(s->handoff & HANDOFF_INTERCEPT) || way_of_system(NULL) != WAY_PRELOAD)
		return 0;
	m->door_path = member_path(m, ":bind");
	m->door = door_make(m->door_path, s->set_user ? s->uid : (uid_t)-1, err);
	return m->door < 0 ? -1 : 0;
}

void intercepted_end(struct member *m)
{
	intercept_stop(&m->intercept);
	fd_close(&m->door);
	if (m->door_path)
		(void)unlink(m->door_path);
	free(m->door_path);
	m->door_path = NULL;
}

/* It may be knocking already. */
void intercepted_open(struct member *m)
{
	if (m->door < 0)
		return;
	m->worker.listener = fd_take(&m->door);
	start(m, 0);
}

/* Nobody held it: keeper and manager had died.  The library calls at that path until
 * somebody listens there. */
static void open_anew(struct member *m, uint64_t listened)
{
	struct err err;

	if (intercepted_prepare(m, m->means->program, &err) < 0)
		log_error("%s: %s", m->name, err.text);
	if (m->door < 0)
		return;
	custody_replace(m->generation->program->rollout->custody, m->kept[MEMBER_LISTENER],
			m->door);
	m->worker.listener = fd_take(&m->door);
	start(m, listened);
}

void intercepted_go_on(struct member *m, uint64_t listened)
{
	if (m->worker.listener < 0) {
		open_anew(m, listened);
		return;
	}
	if (door_is(m->worker.listener))
		m->door_path = member_path(m, ":bind");
	else
		platform_trap_again(m->worker.pid);
	start(m, listened);
}
