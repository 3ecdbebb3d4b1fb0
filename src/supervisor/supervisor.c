/* The life of the supervisor is a list; it lies down in reverse. */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "logs/sink.h"
#include "rollout/leftover.h"
#include "supervisor/reconcile.h"
#include "supervisor/runtime_dir.h"
#include "supervisor/salvage.h"

static int logs_start(struct supervisor *s, struct err *err)
{
	log_set_level(s->settings->supervisor.log_level);
	return sink_open(s->settings->supervisor.log, err);
}

static void logs_stop(struct supervisor *s)
{
	(void)s;
	sink_close();
}

static void directory_stop(struct supervisor *s)
{
	if (s->notify_dir)
		(void)rmdir(s->notify_dir);
	free(s->notify_dir);
	free(s->private_dir);
	free(s->control_path);
	if (s->one_command && s->lock >= 0)
		runtime_dir_remove(s->settings->supervisor.runtime_dir);
	fd_close(&s->lock);
}

/* That of a manager before us is ours.  Of an orphan it is signed when it may be asked
 * (handover_start). */
static int claim_lock(struct supervisor *s, struct err *err)
{
	struct memory *m = &s->memory;

	m->lock_kept = custody_find(&m->custody, "lock");
	s->lock = custody_claim(&m->custody, m->lock_kept, "lock");
	if (s->lock >= 0 && !m->custody.orphaned)
		return runtime_dir_sign(s->lock, link_face(&s->link), err);
	return s->lock >= 0 ? 0 : -1;
}

/* err says who has it. */
static int take_over(struct supervisor *s, struct err *err)
{
	if (err->code != EWOULDBLOCK || s->memory.there ||
	    handover_ask(s, s->settings->supervisor.runtime_dir) < 0)
		return -1;
	if (memory_take_over(s) && logs_start(s, err) < 0)
		log_error("%s", err->text);
	return claim_lock(s, err);
}

/* Numbers in custody are those of the one that was, before any of ours. */
static void take_wreck(struct supervisor *s)
{
	struct err err;

	if (salvage(s, s->settings->supervisor.runtime_dir) && logs_start(s, &err) < 0)
		log_error("%s", err.text);
}

static int take_lock(struct supervisor *s, struct err *err)
{
	const char *path = s->settings->supervisor.runtime_dir;
	struct memory *m = &s->memory;

	if (claim_lock(s, err) == 0) {
		/* One that took the wreck before us was killed before it had written
		 * anything down. */
		if (!m->there)
			take_wreck(s);
		return 0;
	}
	s->lock = runtime_dir_take(path, link_face(&s->link), err);
	if (s->lock < 0)
		return take_over(s, err);
	take_wreck(s);
	m->lock_kept = custody_hold(&m->custody, s->lock, "lock");
	return 0;
}

static int directory_start(struct supervisor *s, struct err *err)
{
	const char *path;

	if (take_lock(s, err) < 0)
		return -1;
	path = s->settings->supervisor.runtime_dir;
	s->notify_dir = mem_format("%s/notify", path);
	s->private_dir = mem_format("%s/private", path);
	s->control_path = mem_format("%s/control", path);
	if (runtime_dir_sub(s->notify_dir, err) == 0)
		return 0;
	directory_stop(s);
	return -1;
}

static int loop_start(struct supervisor *s, struct err *err)
{
	s->loop = loop_new(err);
	return s->loop ? 0 : -1;
}

static void loop_end(struct supervisor *s)
{
	loop_later_stop(&s->look_around);
	loop_later_stop(&s->settle);
	supervisor_strangers_stop(s);
	supervisor_sweep_stop(s);
	loop_timer_stop(&s->heir.due);
	loop_later_stop(&s->heir.become);
	upgrade_stop(s);
	loop_timer_stop(&s->patience);
	loop_free(s->loop);
}

static int signals_start(struct supervisor *s, struct err *err)
{
	(void)err;
	supervisor_signals_start(s);
	return 0;
}

static int keeper_start(struct supervisor *s, struct err *err)
{
	(void)err;
	supervisor_listen_to_keeper(s);
	return 0;
}

static void keeper_stop(struct supervisor *s)
{
	link_stop(&s->link);
}

/* A service manager leaves us copies of what the one before us had as well. */
static void forget_copies(struct supervisor *s)
{
	const struct custody *c = &s->memory.custody;

	for (size_t n = 1; s->inherited.count && n < c->count; n++) {
		uint64_t inode = custody_inode(c->items[n].fd);
		int copy = inode ? inherited_take(&s->inherited, inode) : -1;

		fd_close(&copy);
	}
}

static int store_start(struct supervisor *s, struct err *err)
{
	(void)err;
	s->control = (struct control){ .rollout = &s->rollout, .store = &s->store,
				       .ops = &supervisor_ops, .ctx = s };
	control_init(&s->control);
	store_init(&s->store, s->loop, supervisor_socket, s);
	s->store.suspect = supervisor_suspect;
	s->store.closing = supervisor_closing;
	forget_copies(s);
	inherited_give(&s->inherited, &s->store);
	return 0;
}

static void store_stop(struct supervisor *s)
{
	store_fini(&s->store);
	control_fini(&s->control);
}

static int memory_stage_start(struct supervisor *s, struct err *err)
{
	(void)err;
	memory_start(s);
	return 0;
}

/* While there is little to look through, and nobody waits; status says what was found. */
static void try_abilities(void)
{
	for (int a = 0; a < ABILITY_COUNT; a++)
		(void)platform_can((enum ability)a);
}

static int cold_start(struct supervisor *s, struct err *err)
{
	struct plan plan;
	int rc;

	try_abilities();
	plan_make(NULL, s->settings, &s->rollout, &plan);
	rc = reconcile(&(struct reconcile){ .rollout = &s->rollout, .store = &s->store,
					    .now = s->settings }, &plan, err);
	plan_fini(&plan);
	store_close_given(&s->store);
	memory_checkpoint(s);
	return rc;
}

static int output_start(struct supervisor *s, struct err *err)
{
	(void)err;
	log_writer_start(&s->output, s->loop, s->lock);
	return 0;
}

static int groups_start(struct supervisor *s, struct err *err)
{
	(void)err;
	cgroups_start(&s->cgroups, s->loop, s->settings->supervisor.cgroup, s->link.keeper);
	return 0;
}

static void groups_stop(struct supervisor *s)
{
	cgroups_stop(&s->cgroups);
}

static void output_stop(struct supervisor *s)
{
	log_writer_stop(&s->output);
}

static int programs_start(struct supervisor *s, struct err *err)
{
	s->rollout = (struct rollout){ .loop = s->loop, .store = &s->store,
				       .notify_dir = s->notify_dir,
				       .private_dir = s->private_dir, .news = supervisor_news,
				       .program_gone = supervisor_program_gone, .ctx = s };
	s->rollout.custody = &s->memory.custody;
	s->rollout.logs = &s->output;
	s->rollout.cgroups = &s->cgroups;
	s->rollout.foster = &s->foster;
	s->rollout.record = memory_of_program;
	list_init(&s->rollout.programs);
	drains_init(&s->rollout.drains, &s->store);
	memory_give_sockets(s);
	if (s->follows)
		memory_revive(s);
	else if (cold_start(s, err) < 0)
		return -1;
	leftovers_revive(&s->rollout);
	cgroups_tidy(&s->cgroups);
	return 0;
}

static void programs_stop(struct supervisor *s)
{
	list_each_safe(p, &s->rollout.programs, struct program, node)
		program_free(p);
	leftovers_end(&s->rollout);
	trials_end(&s->rollout.trials);
	reconcile_release(&s->store, s->settings);
}

/* Clients that came while there was no manager wait in its queue. */
static int open_control(struct supervisor *s, struct err *err)
{
	struct memory *m = &s->memory;
	int fd;

	m->control_kept = custody_find(&m->custody, "control");
	fd = custody_claim(&m->custody, m->control_kept, "control");
	if (control_start(&s->control, s->loop, s->control_path, fd, err) < 0)
		return -1;
	if (fd < 0)
		m->control_kept = custody_hold(&m->custody, s->control.varlink.fd, "control");
	custody_sweep(&m->custody);
	return 0;
}

static int control_stage_start(struct supervisor *s, struct err *err)
{
	if (open_control(s, err) < 0)
		return -1;
	control_groups(&s->control, &s->settings->supervisor);
	return 0;
}

static void control_stage_stop(struct supervisor *s)
{
	control_stop(&s->control);
}

static int pid_file_stage_start(struct supervisor *s, struct err *err)
{
	(void)err;
	pid_file_start(&s->pid_file, s->loop, mem_text(s->settings->supervisor.pid_file),
		       link_face(&s->link));
	return 0;
}

static void pid_file_stage_stop(struct supervisor *s)
{
	pid_file_stop(&s->pid_file);
}

static int upward_stage_start(struct supervisor *s, struct err *err)
{
	(void)err;
	upward_start(&s->upward, s->loop, &s->link);
	deposit_start(&s->upward.deposit, s->loop, &s->memory.custody);
	upward_say(&s->upward, "READY=1");
	supervisor_tell_upward(s);
	return 0;
}

/* Clients wait in what is stored until the next `run`, but for a path, which we remove. */
static void upward_stage_stop(struct supervisor *s)
{
	list_each(h, &s->store.sockets, struct held, node)
		if (h->path.inode && h->stored_inode)
			deposit_take_back(&s->upward.deposit, h->stored_inode);
	upward_stop(&s->upward);
}

static const struct stage {
	const char *name;
	int (*start)(struct supervisor *s, struct err *err);
	void (*stop)(struct supervisor *s);
} stages[] = {
	{ "log", logs_start, logs_stop },
	{ "runtime directory", directory_start, directory_stop },
	{ "loop", loop_start, loop_end },
	{ "signals", signals_start, supervisor_signals_stop },
	{ "keeper", keeper_start, keeper_stop },
	{ "sockets", store_start, store_stop },
	{ "memory", memory_stage_start, memory_stop },
	{ "groups", groups_start, groups_stop },
	{ "output", output_start, output_stop },
	{ "programs", programs_start, programs_stop },
	{ "control", control_stage_start, control_stage_stop },
	{ "handover", handover_start, handover_stop },
	{ "pid file", pid_file_stage_start, pid_file_stage_stop },
	{ "service manager", upward_stage_start, upward_stage_stop },
};

static int start_all(struct supervisor *s, size_t *ret_started)
{
	struct err err = { 0 };

	for (*ret_started = 0; *ret_started < COUNT(stages); (*ret_started)++) {
		if (stages[*ret_started].start(s, &err) == 0)
			continue;
		log_error("%s: %s", stages[*ret_started].name, err.text);
		return err.code == EWOULDBLOCK ? EXIT_ANOTHER_RUNS : EXIT_FAILED;
	}
	return EXIT_ORDERLY;
}

int supervisor_run(struct supervisor *s, struct settings *settings)
{
	size_t started;

	s->settings = settings;
	s->lock = -1;
	if (!s->follows)
		s->started = time(NULL);
	s->exit_code = start_all(s, &started);
	/* Nothing of what there is ends with us: another one takes it up. */
	if (s->exit_code != EXIT_ORDERLY && s->follows)
		_exit(s->exit_code);
	if (s->exit_code == EXIT_ORDERLY) {
		s->state = MANAGER_RUNNING;
		log_notice("holdport %s runs, pid %ld, in %s", HOLDPORT_VERSION,
			   (long)link_face(&s->link), s->settings->supervisor.runtime_dir);
		upgrade_settle(s);
		link_say(&s->link, CHANNEL_SETTLED, 0, NULL, -1);
		platform_take_signals();
		supervisor_go_on(s);
		loop_run(s->loop);
	}
	while (started--)
		stages[started].stop(s);
	inherited_fini(&s->inherited);
	settings_unref(s->settings);
	free(s->recalled_file);
	link_say(&s->link, CHANNEL_LEAVING, s->exit_code, NULL, -1);
	return s->exit_code;
}
