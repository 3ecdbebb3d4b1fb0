/* What the control socket asks of the whole: facts, the configuration read again,
 * the end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "logs/sink.h"
#include "platform/platform.h"
#include "supervisor/reconcile.h"
#include "supervisor/supervisor.h"

static void tell_facts(void *ctx, struct control_facts *ret)
{
	const struct supervisor *s = ctx;

	*ret = (struct control_facts){
		.started = s->started, .config = s->settings->file, .reloads = s->reloads,
		.leaving = s->state >= MANAGER_LEAVING, .keeper = s->link.keeper,
		.recoveries = s->recoveries, .upgrades = s->upgrades,
	};
}

/* What only a new start can change: a successor of this manager is none. */
static void keep_as_it_is(const char *key, const char *ours, char **now)
{
	if (strcmp(ours, *now) == 0)
		return;
	log_warning("%s: the change from %s to %s takes effect at the next start", key, ours, *now);
	free(*now);
	*now = mem_text(ours);
}

static void keep_fixed(const struct supervisor *s, struct settings *now)
{
	const struct supervisor_settings *ours = &s->settings->supervisor;

	keep_as_it_is("runtime_dir", ours->runtime_dir, &now->supervisor.runtime_dir);
	keep_as_it_is("cgroup", ours->cgroup, &now->supervisor.cgroup);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* [supervisor] keys: all of them are live but runtime_dir. */
static void take_over_own(struct supervisor *s, const struct settings *was)
{
	const struct supervisor_settings *now = &s->settings->supervisor;
	struct err err;

	log_set_level(now->log_level);
	control_groups(&s->control, now);
	if (!same_text(was->supervisor.log, now->log) && sink_open(now->log, &err) < 0)
		log_error("%s; what was used before is used on", err.text);
	if (same_text(was->supervisor.pid_file, now->pid_file))
		return;
	pid_file_stop(&s->pid_file);
	pid_file_start(&s->pid_file, s->loop, mem_text(now->pid_file),
		       link_face(&s->link));
}

static void put_in_force(struct supervisor *s, struct settings *now)
{
	struct settings *was = s->settings;

	keep_fixed(s, now);
	s->settings = now;
	s->reloads++;
	take_over_own(s, was);
	memory_of_reload(s);
	settings_unref(was);
	supervisor_settle(s);
	log_notice("the configuration was read again and is in force");
}

static enum reloaded reload(struct supervisor *s, bool dry_run, struct faults *ret_faults,
			    void (*planned)(const struct plan *p, void *ask_ctx), ask_for_fn *ask,
			    void *ask_ctx)
{
	struct settings *now = NULL;
	struct plan plan = { 0 };
	struct err err;
	int rc;

	if (!s->file)
		faults_add(ret_faults, NULL, 0, "this supervisor was started without a file");
	else
		now = settings_load(s->file, ret_faults);
	if (!now)
		return RELOAD_REFUSED;
	plan_make(s->settings, now, &s->rollout, &plan);
	plan_tell_risks(&plan, platform_can(CAN_STEER));
	if (planned)
		planned(&plan, ask_ctx);
	rc = dry_run ? plan_check(&plan, platform_can(CAN_STEER), &err)
		     : reconcile(&(struct reconcile){ .rollout = &s->rollout,
						      .store = &s->store, .was = s->settings,
						      .now = now, .ask_for = ask,
						      .ask_ctx = ask_ctx }, &plan, &err);
	plan_fini(&plan);
	if (rc < 0)
		faults_add(ret_faults, NULL, 0, "%s", err.text);
	if (rc == 0 && !dry_run)
		put_in_force(s, now);
	else
		settings_unref(now);
	return rc == 0 ? RELOAD_DONE : err.code ? RELOAD_FAILED : RELOAD_REFUSED;
}

enum reloaded supervisor_reload(void *ctx, bool dry_run, struct faults *ret_faults,
				void (*planned)(const struct plan *p, void *ask_ctx),
				ask_for_fn *ask, void *ask_ctx)
{
	struct supervisor *s = ctx;
	enum reloaded rc;

	if (!dry_run)
		upward_reloading(&s->upward);
	rc = reload(s, dry_run, ret_faults, planned, ask, ask_ctx);
	if (!dry_run)
		upward_say(&s->upward, "READY=1");
	return rc;
}

static void do_shut_down(void *ctx)
{
	supervisor_leave(ctx);
}

static void do_record(void *ctx, const struct str *text, bool and_programs)
{
	memory_of_request(ctx, text, and_programs);
}

static int do_upgrade(void *ctx, const char *request, struct err *err)
{
	return upgrade_begin(ctx, request, err);
}

static void tell_upgrade(void *ctx, struct control_upgrade *ret)
{
	const struct upgrade *u = &((struct supervisor *)ctx)->upgrade;

	*ret = (struct control_upgrade){ .number = u->number, .text = u->text,
					 .under_way = upgrade_under_way(u),
					 .done = u->state == UPGRADE_DONE,
					 .request = u->request };
}

const struct control_ops supervisor_ops = {
	.facts = tell_facts, .reload = supervisor_reload, .shut_down = do_shut_down,
	.record = do_record,
	.upgrade = do_upgrade, .upgraded = tell_upgrade,
};
