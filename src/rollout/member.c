#include "rollout/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "keeper/custody.h"
#include "process/cgroups.h"
#include "process/private_dir.h"
#include "rollout/generation.h"
#include "rollout/heard.h"
#include "rollout/hint.h"
#include "rollout/intercepted.h"
#include "rollout/leftover.h"
#include "rollout/pipes.h"
#include "rollout/program.h"
#include "rollout/renewal.h"
#include "rollout/slots.h"
#include "rollout/vital.h"
#include "socket/heal.h"

enum { LINES_IN_A_FAILURE = 10 };

static void on_notify(struct notify *n, struct notify_message *message)
{
	struct member *m = OWNER(n, struct member, notify);

	member_heard(m, message);
	if (message->ready || message->main_pid || message->main_pidfd || message->store)
		program_write_down(m->generation->program);
}

static void on_ack(struct ack *a)
{
	struct member *m = OWNER(a, struct member, ack);

	program_proved_by(m->generation->program, "ack");
	proof_acknowledged(&m->proof);
}

void member_write_pid(struct member *m)
{
	const struct means *means = m->generation->means;
	struct launch_spec spec = member_spec(m, means);
	struct launch_names names = { .spec = &spec };
	struct err err;
	char *path;

	if (!means->program->pid_file || !m->proved_by)
		return;
	pid_file_stop(&m->pid_file);
	path = launch_expand(&names, means->program->pid_file, &err);
	if (!path)
		log_error("%s: pid_file: %s", m->name, err.text);
	pid_file_start(&m->pid_file, m->worker.loop, path, m->worker.pid);
}

static void on_proved(struct proof *p, const char *by)
{
	struct member *m = OWNER(p, struct member, proof);

	m->proved_by = by;
	custody_drop(m->generation->program->rollout->custody, &m->kept[MEMBER_READY]);
	if (strcmp(by, "alive") == 0)
		hint_at_wrapper(m);
	member_write_pid(m);
	heal_look_at(m->held, m->means->held_count);
	worker_on(&m->worker, WORKER_EV_PROVED);
	if (m->worker.state != WORKER_SERVING)
		return;
	member_watch(m);
	vital_watch(m);
	renewal_watch(m);
}

/* What it is told by its next rung it has done already, but for ending. */
static void on_drain(struct drain *d, enum drain_news news)
{
	struct member *m = OWNER(d, struct member, drain);

	if (news == DRAIN_COUNTED) {
		program_news_drain(m->generation->program, m);
		return;
	}
	log_notice("%s: worker %ld has no listener and no connection left, but does not end; "
		   "it gets its next signal", m->name, (long)m->worker.pid);
	worker_on(&m->worker, WORKER_EV_EMPTY);
}

static void watch_drain(struct member *m)
{
	enum worker_state s = m->worker.state;

	if (s == WORKER_DRAINING || s == WORKER_STOPPING)
		drain_start(&m->drain, &m->generation->program->rollout->drains, &m->worker,
			    m->held, m->means->held_count, on_drain);
	else
		drain_stop(&m->drain);
}

static const char *const kept_words[] = {
#define X(name, word) [MEMBER_##name] = word,
	MEMBER_KEPT(X)
#undef X
};

static void keep_no_more(struct member *m)
{
	for (int i = 0; i < MEMBER_KEEPS; i++)
		custody_drop(m->generation->program->rollout->custody, &m->kept[i]);
}

static void on_worker(struct worker *w, enum worker_news news)
{
	struct member *m = OWNER(w, struct member, worker);

	if (news == WORKER_NEWS_FILTERED) {
		intercepted_filter(m);
		return;
	}
	if (news == WORKER_NEWS_ENDING) {
		/* A last READY=1 counts, and the last lines say why. */
		(void)notify_drain(&m->notify);
		return;
	}
	if (w->state != WORKER_STARTING)
		proof_stop(&m->proof);
	if (w->state != WORKER_SERVING) {
		watchdog_stop(&m->watchdog);
		vital_stop(m);
		renewal_stop(m);
	}
	watch_drain(m);
	if (news == WORKER_NEWS_GONE) {
		capture_end(&m->out);
		capture_end(&m->err);
		notify_close(&m->notify);
		ack_close(&m->ack);
		leftover_of(m);
		intercepted_end(m);
		pid_file_stop(&m->pid_file);
		keep_no_more(m);
	}
	generation_told(m->generation, m, news);
}

/* No program is called like the one for acknowledgements: a name has no colon. */
char *member_path(const struct member *m, const char *what)
{
	const struct program *p = m->generation->program;

	return mem_format("%s/%s.%u%s", p->rollout->notify_dir, p->name, m->slot, what);
}

static int open_notify(struct member *m, const struct rollout *r,
		       const struct program_settings *s, struct err *err)
{
	uid_t user = s->set_user ? s->uid : (uid_t)-1;
	char *path = member_path(m, "");
	int rc = notify_open(&m->notify, r->loop, path, user, on_notify, err);

	free(path);
	if (rc < 0 || !(s->handoff & HANDOFF_EINHORN))
		return rc;
	path = member_path(m, ":ack");
	rc = ack_open(&m->ack, r->loop, path, user, on_ack, err);
	free(path);
	return rc;
}

struct launch_spec member_spec(const struct member *m, const struct means *means)
{
	return (struct launch_spec){
		.program = means->program, .held = m->held, .held_count = means->held_count,
		.generation = m->generation->number, .index = m->index, .slot = m->slot,
		.private_dir = m->private_dir, .ready_fd = -1,
	};
}

static void put_pid(const struct member *m, struct launch *l)
{
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "HOLDPORT_PID=%ld", (long)m->worker.pid);
	launch_put(l, pid);
}

int member_command(const struct member *m, const struct launch_spec *worker,
		   const struct ready *how, struct launch *ret, struct err *err)
{
	struct launch_spec spec = *worker;

	spec.command = &how->words;
	spec.executable = NULL;
	spec.notify_path = NULL;
	spec.out = spec.err = SPAWN_FD_NULL;
	if (launch_prepare(&spec, ret, err) < 0)
		return -1;
	if (m->worker.pid)
		put_pid(m, ret);
	return 0;
}

/* ready = exec:COMMAND: what cannot be run is known before there is a worker. */
static int prepare_check(const struct member *m, const struct launch_spec *worker,
			 struct launch *ret, struct err *err)
{
	const struct ready *ready = &worker->program->ready;

	if (ready->how != READY_EXEC)
		return 0;
	return member_command(m, worker, ready, ret, err) < 0 ? err_in(err, "ready = exec") : 0;
}

static int enter_group(struct generation *g, const struct program_settings *s, int *ret_door,
		       struct err *err)
{
	char *name = generation_group(g);
	int rc = cgroups_enter(g->program->rollout->cgroups, name, s, &g->grouped, ret_door, err);

	free(name);
	return rc;
}

static int launch(struct member *m, const struct means *means, const struct pipes *p,
		  struct launch *check, struct err *err)
{
	struct launch_spec spec = member_spec(m, means);
	int door = -1, rc = -1;
	struct launch ready;

	spec.kept = m->generation->program->kept.items;
	spec.kept_count = m->generation->program->kept.count;
	spec.executable = &m->means->executable;
	spec.notify_path = m->notify.path;
	spec.ack_path = m->ack.path;
	spec.door_path = m->door_path;
	spec.ready_fd = p->ready;
	spec.out = p->out;
	spec.err = p->err;
	if (private_dir_make(m->generation->program->rollout->private_dir, m->private_dir,
			     means->program, err) < 0 ||
	    enter_group(m->generation, means->program, &door, err) < 0)
		goto out;
	spec.cgroup = door >= 0 ? &door : NULL;
	if (prepare_check(m, &spec, check, err) < 0 || launch_prepare(&spec, &ready, err) < 0 ||
	    worker_start(&m->worker, &ready, err) < 0)
		launch_fini(check);
	else
		rc = 0;
out:
	fd_close(&door);
	return rc;
}

int member_target(const struct launch_spec *spec, const struct ready *how, struct target *ret,
		  struct err *err)
{
	struct launch_names names = { .spec = spec };
	char *word = launch_expand(&names, how->words.items[0], err);
	int rc = word ? target_make(word, spec->held, spec->held_count, ret, err) : -1;

	free(word);
	return rc;
}

static int aim(struct member *m, const struct means *means, struct target *ret, struct err *err)
{
	struct launch_spec spec = member_spec(m, means);
	const struct ready *how = &means->program->ready;

	return how->how == READY_HTTP ? member_target(&spec, how, ret, err) : 0;
}

static void keep(struct member *m, struct custody *c)
{
	const int fds[] = {
		[MEMBER_OUT] = capture_fd(&m->out), [MEMBER_ERR] = capture_fd(&m->err),
		[MEMBER_NOTIFY] = m->notify.fd, [MEMBER_ACK] = m->ack.path ? m->ack.fd : -1,
		[MEMBER_READY] = m->proof.spec.ready_fd,
		[MEMBER_LISTENER] = -1,		/* it comes later */
	};

	for (int i = 0; c && i < MEMBER_KEEPS; i++)
		m->kept[i] = custody_hold(c, fds[i], kept_words[i]);
}

static void prove(struct member *m, struct rollout *r, struct means *means, int ready_fd,
		  int64_t began, struct launch *check)
{
	struct proof_spec spec = {
		.program = means->program,
		.must_notify = m->generation->program->speaks_notify,
		.pid = m->worker.pid,
		.held = m->held, .held_count = means->held_count,
		.command = check, .trials = &r->trials, .ready_fd = ready_fd,
	};
	struct err err;

	if (aim(m, means, &spec.target, &err) < 0)
		log_error("%s: ready: %s", m->name, err.text);
	if (check->place.path)
		put_pid(m, check);
	proof_go_on(&m->proof, r->loop, &spec, began, on_proved);
}

static void watch(struct member *m, struct rollout *r, struct means *means, struct pipes *p,
		  struct launch *check)
{
	member_listen(m, fd_take(&p->out_read), fd_take(&p->err_read));
	prove(m, r, means, fd_take(&p->ready_read), loop_now(r->loop), check);
}

static struct member *member_new(struct generation *g, struct seat *seat, unsigned index,
				 unsigned slot, struct means *means)
{
	struct member *m = MEM_NEW(struct member);

	m->generation = g;
	m->seat = seat;
	m->index = index;
	m->means = means_ref(means);
	m->held = mem_grow(NULL, means->held_count + 1, sizeof(struct held *));
	slots_of(means, m->index, m->held);
	m->bindings = means_bindings(means);
	m->slot = slot;
	m->watchdog_ms = g->means->program->watchdog;
	m->private_dir = private_dir_path(g->program->rollout->private_dir, means->program);
	m->name = mem_format("%s/%u/%u", g->program->name, g->number, m->index);
	m->worker.name = m->name;
	m->worker.settings = g->means->program;
	m->worker.loop = g->program->rollout->loop;
	m->worker.told = on_worker;
	m->worker.listener = -1;
	m->worker.gated = g->program->rollout->record;
	m->worker.gate = -1;
	m->door = -1;
	m->worker.foster = g->program->rollout->foster;
	m->notify.fd = -1;
	list_init(&m->node);
	return m;
}

struct member *member_start(struct generation *g, struct seat *seat, struct err *err)
{
	struct rollout *r = g->program->rollout;
	struct member *m = member_new(g, seat, seat->index, program_free_slot(g->program),
				      g->means);
	struct str missing = { 0 };
	struct launch check = { 0 };
	struct pipes p = PIPES_NONE;
	int rc = -1;

	if (!held_bound(m->held, g->means->held_count, &missing)) {
		(void)err_set(err, 0, "%s", str_text(&missing));
		str_fini(&missing);
		member_free(m);
		return NULL;
	}
	heal_look_at(m->held, g->means->held_count);
	if (member_can_listen(m, err) == 0 && pipes_open(g->means->program, &p, err) == 0 &&
	    open_notify(m, r, g->means->program, err) == 0 &&
	    intercepted_prepare(m, g->means->program, err) == 0 &&
	    launch(m, g->means, &p, &check, err) == 0)
		rc = 0;
	pipes_close_theirs(&p);
	if (rc < 0) {
		pipes_close_ours(&p);
		member_free(m);
		return NULL;
	}
	watch(m, r, g->means, &p, &check);
	keep(m, r->custody);
	intercepted_open(m);
	program_touch(g->program);
	return m;
}

void member_remember(const struct member *m, struct member_memory *ret)
{
	*ret = (struct member_memory){
		.index = m->index, .slot = m->slot, .seated = m->seat,
		.stale = m->bindings != means_bindings(m->means), .means = m->means,
		.status = m->status, .proved_by = m->proved_by, .error = m->error,
		.reloading = m->reloading, .stopping = m->stopping, .leaving = m->leaving,
		.spare = m->seat && m->seat->spare == m, .renewed = m->renewed,
		.renew = m->renew, .renew_since = m->renew_since,
		.serves_since = m->serves_since, .vitals = m->vitals,
		.reload_began = m->reload_began, .reloaded = m->reloaded,
		.watchdog_ms = m->watchdog_ms, .proof_began = m->worker.state == WORKER_STARTING ? m->proof.began : 0,
	};
	ret->listened = intercept_remember(&m->intercept);
	worker_remember(&m->worker, &ret->worker);
	memcpy(ret->kept, m->kept, sizeof(m->kept));
}

static void take_memory(struct member *m, const struct member_memory *memory)
{
	m->bindings -= memory->stale;
	m->status = mem_text(memory->status);
	m->proved_by = proof_word(memory->proved_by);
	m->error = memory->error;
	m->reloading = memory->reloading;
	m->stopping = memory->stopping;
	m->leaving = memory->leaving;
	m->reload_began = memory->reload_began;
	m->reloaded = memory->reloaded;
	m->watchdog_ms = memory->watchdog_ms;
	m->renewed = memory->renewed;
	m->renew = memory->renew;
	m->renew_since = memory->renew_since;
	m->serves_since = memory->serves_since;
	m->vitals = memory->vitals;
	memcpy(m->kept, memory->kept, sizeof(m->kept));
}

static int claim(struct member *m, int what)
{
	return custody_claim(m->generation->program->rollout->custody, m->kept[what],
			     kept_words[what]);
}

/* Nobody held it: what was said meanwhile is lost, what comes is not. */
static void open_notify_anew(struct member *m, struct rollout *r)
{
	struct err err;

	if (open_notify(m, r, m->means->program, &err) < 0)
		log_error("%s: %s", m->name, err.text);
	custody_replace(r->custody, m->kept[MEMBER_NOTIFY], m->notify.fd);
	if (m->ack.path)
		custody_replace(r->custody, m->kept[MEMBER_ACK], m->ack.fd);
}

/* True: it is another socket, that nobody has written to. */
static bool hear_again(struct member *m, struct rollout *r)
{
	int said = claim(m, MEMBER_NOTIFY), ack = claim(m, MEMBER_ACK);
	bool lost = said < 0 && r->custody;
	char *path = member_path(m, "");

	if (!lost)
		notify_go_on(&m->notify, r->loop, said, path, on_notify);
	else
		open_notify_anew(m, r);
	free(path);
	if (ack < 0)
		return lost;
	path = member_path(m, ":ack");
	ack_go_on(&m->ack, r->loop, ack, path, on_ack);
	free(path);
	return lost;
}

/* What it wrote and said while nobody read is still there. */
static bool listen_again(struct member *m, struct rollout *r)
{
	int out = claim(m, MEMBER_OUT), errors = claim(m, MEMBER_ERR);
	bool lost = hear_again(m, r);

	member_listen(m, out, errors);
	return lost;
}

/* Keeper and manager were killed; what it said meanwhile comes to nobody. */
static bool may_have_said(const struct member *m, bool notify_lost, int ready_fd)
{
	enum ready_how how = m->means->program->ready.how;

	if (how == READY_FD)
		return ready_fd < 0;
	return notify_lost && (how == READY_NOTIFY ||
			       (how == READY_AUTO && m->generation->program->speaks_notify));
}

static void prove_again(struct member *m, struct rollout *r, int64_t began, bool notify_lost)
{
	struct launch_spec spec = member_spec(m, m->means);
	int ready_fd = claim(m, MEMBER_READY);
	struct launch check = { 0 };
	struct err err;

	if (prepare_check(m, &spec, &check, &err) < 0)
		log_error("%s: %s", m->name, err.text);
	m->unheard = may_have_said(m, notify_lost, ready_fd);
	prove(m, r, m->means, ready_fd, began, &check);
}

struct member *member_adopt(struct generation *g, struct seat *seat,
			    const struct member_memory *memory)
{
	struct rollout *r = g->program->rollout;
	struct member *m = member_new(g, seat, memory->index, memory->slot, memory->means);
	bool notify_lost;

	m->worker.gated = false;
	take_memory(m, memory);
	worker_adopt(&m->worker, &memory->worker);
	notify_lost = listen_again(m, r);
	if (m->worker.state == WORKER_STARTING)
		prove_again(m, r, memory->proof_began, notify_lost);
	if (m->worker.state == WORKER_SERVING) {
		member_watch(m);
		vital_watch(m);
		renewal_watch(m);
	}
	watch_drain(m);
	m->worker.listener = claim(m, MEMBER_LISTENER);
	if (m->kept[MEMBER_LISTENER])
		intercepted_go_on(m, memory->listened);
	member_write_pid(m);
	return m;
}

void member_free(struct member *m)
{
	keep_no_more(m);
	list_remove(&m->node);
	proof_fini(&m->proof);
	watchdog_stop(&m->watchdog);
	vital_stop(m);
	renewal_stop(m);
	drain_stop(&m->drain);
	pid_file_stop(&m->pid_file);
	notify_close(&m->notify);
	ack_close(&m->ack);
	intercepted_end(m);
	capture_fini(&m->out);
	capture_fini(&m->err);
	worker_fini(&m->worker);
	means_unref(m->means);
	free(m->held);
	free(m->status);
	free(m->private_dir);
	free(m->name);
	free(m);
}

char *member_failure(const struct member *m, struct text_list *ret_lines)
{
	const struct worker *w = &m->worker;
	char end[WORKER_END_SIZE];
	struct str text = { 0 };

	str_addf(&text, "worker %u (pid %ld) ", m->index, (long)w->pid);
	if (w->reason)
		str_add(&text, w->reason);
	else
		str_addf(&text, "ended with %s%s", worker_end_text(&w->end, end),
			 w->proved ? "" : " before it was ready");
	if (m->proof.last_run && !w->proved)
		str_addf(&text, "; the last %s: %s",
			 m->means->program->ready.how == READY_EXEC
				 ? "run of its readiness command" : "answer to ready = http",
			 m->proof.last_run);
	if (m->error)
		str_addf(&text, "; it said errno %d (%s)", m->error, strerror(m->error));
	capture_last(&m->out, LINES_IN_A_FAILURE, ret_lines);
	capture_last(&m->err, LINES_IN_A_FAILURE, ret_lines);
	hint_at_binding(m, ret_lines, &text);
	return str_take(&text);
}
