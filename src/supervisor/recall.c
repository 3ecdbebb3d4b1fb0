/* From what an earlier manager wrote down to what it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "rollout/record.h"
#include "socket/inherit.h"
#include "supervisor/supervisor.h"

/* Each reading of settings, shared by all that refer to it. */
struct recalled {
	struct list node;
	int64_t number;
	struct settings *settings;
};

static void add_line(struct str *text, const char *line)
{
	str_add(text, line);
	str_add(text, "\n");
}

struct settings *recall_settings(const struct snapshot_block *b, struct faults *faults)
{
	struct str text = { 0 };
	struct settings *s;
	FILE *in;

	for (size_t i = 0; i < b->count; i++)
		if (fact_is(&b->facts[i], "line") && fact_get(&b->facts[i], "text"))
			add_line(&text, fact_get(&b->facts[i], "text"));
	in = fmemopen((void *)(uintptr_t)str_text(&text), text.length ? text.length : 1, "r");
	s = in ? settings_restore(in, fact_get(&b->head, "file"), faults) : NULL;
	if (in)
		(void)fclose(in);
	str_fini(&text);
	return s;
}

static struct settings *read_settings(const struct snapshot_block *b)
{
	struct faults faults = { 0 };
	struct settings *s = recall_settings(b, &faults);

	for (size_t i = 0; !s && i < faults.count; i++)
		log_error("settings of an earlier manager: %s", faults.items[i].text);
	faults_fini(&faults);
	return s;
}

static struct settings *find_settings(int64_t number, void *ctx)
{
	struct supervisor *s = ctx;
	const struct snapshot_block *b;
	struct recalled *r;

	list_each(known, &s->recalled, struct recalled, node)
		if (known->number == number)
			return known->settings;
	b = snapshot_settings(&s->memory.before, number);
	r = MEM_NEW(struct recalled);
	r->number = number;
	r->settings = b ? read_settings(b) : NULL;
	if (r->settings) {
		r->settings->number = (unsigned)number;
		r->settings->written = s->memory.checkpoint;
	}
	list_append(&s->recalled, &r->node);
	return r->settings;
}

static void forget_settings(struct supervisor *s)
{
	list_each_safe(r, &s->recalled, struct recalled, node) {
		settings_unref(r->settings);
		list_remove(&r->node);
		free(r);
	}
}

static void take_whole(struct supervisor *s, const struct fact *f)
{
	s->follows = true;
	s->file = s->recalled_file = mem_text(fact_get(f, "file"));
	s->one_command = fact_bool(f, "one_command");
	s->started = (time_t)fact_int(f, "started", 0);
	s->reloads = (unsigned)fact_int(f, "reloads", 0);
	s->recoveries = (unsigned)fact_int(f, "recoveries", 0) + !s->succeeds;
	s->upgrades = (unsigned)fact_int(f, "upgrades", 0) + s->succeeds;
	s->leave_by = fact_int(f, "leave_by", 0);
	s->hurried = fact_bool(f, "hurried");
	s->was_leaving = fact_bool(f, "leaving");
	s->memory.last_settings = (unsigned)fact_int(f, "last_settings", 0);
	upgrade_recall(s, f);
}

int memory_read(struct supervisor *s, int fd, struct err *err)
{
	size_t length = 0;
	char *text = journal_read(fd, &length);
	int rc = -1;

	if (!text)
		return err_set(err, 0, "it cannot be read");
	rc = snapshot_read(text, length, &s->memory.before, err);
	if (rc < 0)
		free(text);
	else
		s->memory.before.owned = text;
	if (rc == 0 && !s->memory.before.supervisor.word)
		rc = err_set(err, 0, "it does not say what was in force");
	return rc;
}

int memory_accept(struct supervisor *s, struct err *err)
{
	const struct fact *f = &s->memory.before.supervisor;
	struct settings *settings = find_settings(fact_int(f, "settings", 0), s);

	if (!settings)
		return err_set(err, 0, "its settings are not to be had");
	settings_unref(s->settings);
	s->settings = settings_ref(settings);
	take_whole(s, f);
	return 0;
}

void memory_refuse(struct supervisor *s, const struct err *err)
{
	log_error("what the manager before this one wrote down is of no use: %s; its sockets are "
		  "taken over, its workers are left alone", err->text);
	snapshot_fini(&s->memory.before);
}

static bool recall(struct supervisor *s)
{
	struct memory *m = &s->memory;
	unsigned number = custody_find(&m->custody, "journal");
	struct err err = { 0 };
	bool well;

	m->left = custody_claim(&m->custody, number, "journal");
	m->there = m->custody.settled || number;
	if (!number)
		return false;
	m->journal_kept = number;
	m->checkpoint = 1;
	well = memory_read(s, m->left, &err) == 0 && memory_accept(s, &err) == 0;
	if (well)
		return true;
	fd_close(&m->left);
	memory_refuse(s, &err);
	return false;
}

/* To try them takes longer than anything else that a successor does.  Only of one whose
 * rights were ours: the keeper started both. */
static void believe(const char *words)
{
	for (int a = 0; words && a < ABILITY_COUNT; a++) {
		const char *at = strstr(words, ability_word((enum ability)a));

		if (at && at[strlen(ability_word((enum ability)a))] == ' ')
			platform_believe((enum ability)a);
	}
}

bool memory_recall(struct supervisor *s)
{
	bool well;

	list_init(&s->recalled);
	well = recall(s);
	if (well)
		believe(fact_get(&s->memory.before.supervisor, "abilities"));
	return well;
}

bool memory_take_over(struct supervisor *s)
{
	const char *file = s->file;
	bool well = recall(s);

	s->file = file;
	return well;
}

/* Nothing is known of it but what it says itself. */
static void give_socket(struct supervisor *s, unsigned number)
{
	int fd = custody_claim(&s->memory.custody, number, "socket");
	struct err err = { 0 };
	struct key key;

	if (inherited_key(fd, &key, &err) < 0) {
		log_warning("a socket that the keeper held is closed: %s", err.text);
		fd_close(&fd);
		return;
	}
	store_give_back(&s->store, fd, &key, number);
}

static void revive_slot(struct supervisor *s, const struct fact *f)
{
	struct record_settings settings = { .find = find_settings, .ctx = s };
	unsigned number = (unsigned)fact_int(f, "held", 0);
	int fd = fact_int(f, "slot", 0) ? custody_claim(&s->memory.custody, number, "socket") : -1;

	if (fd < 0 || slot_revive(&s->store, f, &settings, &fd) == 0)
		return;
	s->memory.custody.items[number].fd = fd;
	s->memory.anew = true;
}

static void revive_socket(struct supervisor *s, const struct fact *f)
{
	struct record_settings settings = { .find = find_settings, .ctx = s };
	unsigned number = (unsigned)fact_int(f, "held", 0);
	int fd = custody_claim(&s->memory.custody, number, "socket");

	if (fd < 0 || held_revive(&s->store, f, &settings, &fd))
		return;
	s->memory.custody.items[number].fd = fd;
	s->memory.anew = true;
}

static void revive_events(struct supervisor *s)
{
	if (!s->memory.before.events.next)
		return;
	list_each(b, &s->memory.before.events, struct snapshot_block, node) {
		const char *json = fact_get(&b->head, "json");
		int64_t number = fact_int(&b->head, "number", 0);

		if (json && number > 0)
			events_put(&s->control.events, (uint64_t)number, mem_text(json));
	}
}

void memory_give_sockets(struct supervisor *s)
{
	unsigned number;

	revive_events(s);
	if (s->memory.before.sockets.next) {
		list_each(b, &s->memory.before.sockets, struct snapshot_block, node)
			revive_slot(s, &b->head);
		list_each(b, &s->memory.before.sockets, struct snapshot_block, node)
			revive_socket(s, &b->head);
	}
	while ((number = custody_find(&s->memory.custody, "socket")))
		give_socket(s, number);
}

static void name_workers(const struct snapshot_block *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (fact_is(&b->facts[i], "worker"))
			log_error("its worker %lld is left alone",
				  (long long)fact_int(&b->facts[i], "pid", 0));
}

static void revive_programs(struct supervisor *s)
{
	struct record_settings settings = { .find = find_settings, .ctx = s };
	struct err err;

	list_each(b, &s->memory.before.programs, struct snapshot_block, node) {
		if (program_revive(&s->rollout, b, &settings, &err) == 0)
			continue;
		log_error("%s", err.text);
		name_workers(b);
		s->memory.anew = true;
	}
}

static void revive_moments(struct supervisor *s)
{
	if (!s->succeeds && !*s->memory.custody.rolled_back)
		return;
	list_each(b, &s->memory.before.moments, struct snapshot_block, node)
		moment_revive(&s->rollout, &b->head, s->succeeds);
}

void memory_revive(struct supervisor *s)
{
	reconcile_hold(&s->store, s->settings);
	revive_programs(s);
	revive_moments(s);
	changes_revive(&s->control, &s->memory.before);
	reconcile_end_revival(&s->rollout, &s->store, s->settings);
	store_close_given(&s->store);
	link_foster(&s->link, &s->adopted);
	memory_of_revival(s);
	forget_settings(s);
	snapshot_fini(&s->memory.before);
}

static struct worker *worker_by(struct supervisor *s, pid_t pid)
{
	list_each(p, &s->rollout.programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (m->worker.adopted && m->worker.process.pid == pid)
					return &m->worker;
	return NULL;
}

void memory_ended(struct supervisor *s, pid_t pid, int64_t how)
{
	struct worker *w = worker_by(s, pid);
	struct process_end end = channel_end_read(how);

	if (w)
		worker_ended(w, how >= 0 ? 1 : how == END_NOT_YET ? 0 : -1, &end);
}
