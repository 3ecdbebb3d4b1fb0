/* The manager ends without a word, at any point of a turn, and another one goes on
 * from what was written down: of the first one nothing is left but that text, the
 * processes, and the sockets that its keeper holds.  Or the keeper ends: then the manager
 * writes down what is not written yet, and is followed likewise.  Or both: then nothing is
 * left of a socket that no worker has. */
#include "keeper/snapshot.h"
#include "rollout/record.h"
#include "socket/group.h"

enum { KEPT_SOCKETS = 64 };

static struct successor {
	char *text[COUNT(names)];	/* what was written of each program; NULL: nothing */
	struct settings *now;		/* what was written to be in force */
	char *sockets;			/* what was written of those */
	struct { int fd; unsigned number; } kept[KEPT_SOCKETS];
	size_t kept_count;
	unsigned last_kept;
	bool lost;		/* a socket was: an old generation goes on without it */
} past;

static unsigned settings_number(struct settings *s, void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < VARIANTS; i++)
		if (variants[i] == s)
			return i + 1;
	broken("settings that are written have a number");
}

static struct settings *settings_by(int64_t number, void *ctx)
{
	(void)ctx;
	return number > 0 && number <= VARIANTS ? variants[number - 1] : NULL;
}

static const struct record_settings by_variant = { .number = settings_number,
						   .find = settings_by };

static char **text_of(const char *name)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return &past.text[i];
	broken("a program has a name");
}

static void write_down(struct program *p)
{
	struct str text = { 0 };

	program_record(p, &by_variant, &text);
	free(*text_of(p->name));
	*text_of(p->name) = str_take(&text);
}

static void write_sockets_down(void)
{
	struct str text = { 0 };

	list_each(h, &w.store.sockets, struct held, node)
		for (size_t i = 0; i < group_size(h); i++)
			if (group_slot(h, i)->kept)
				held_record(group_slot(h, i), &by_variant, &text);
	free(past.sockets);
	past.sockets = str_take(&text);
}

/* As supervisor/memory.c does it: the keeper has what the store has. */
static void on_socket(struct held *h, void *ctx)
{
	(void)ctx;
	if (h->fd < 0 || h->kept_inode != h->inode)
		h->kept = h->fd < 0 ? 0 : ++past.last_kept;
	h->kept_inode = h->inode;
	write_sockets_down();
	list_each(p, &w.rollout.programs, struct program, node)
		program_kick(p);
}

static void on_record(struct program *p, void *ctx)
{
	(void)ctx;
	write_down(p);
	program_release(p);
}

static void on_program_gone(struct rollout *r, const char *name, void *ctx)
{
	(void)r;
	(void)ctx;
	free(*text_of(name));
	*text_of(name) = NULL;
}

static void past_reload(void)
{
	past.now = w.now;
	write_sockets_down();
	list_each(p, &w.rollout.programs, struct program, node)
		write_down(p);
}

static void past_clear(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		free(past.text[i]);
		past.text[i] = NULL;
	}
	free(past.sockets);
	past.sockets = NULL;
	past.now = NULL;
	past.last_kept = 0;
	past.lost = false;
}

static bool is_written(pid_t pid)
{
	char *word = mem_format(" pid=%ld ", (long)pid);
	bool found = false;

	for (size_t i = 0; i < COUNT(names); i++)
		found = found || (past.text[i] && strstr(past.text[i], word));
	free(word);
	return found;
}

/* A process that asks, and no worker: forget_checks() ends it. */
static bool is_check(pid_t pid)
{
	if (w.rollout.trials.next)
		list_each(t, &w.rollout.trials, struct trial, node)
			if (t->process.pid == pid)
				return true;
	return false;
}

/* A child that was not written down waits at its gate, and ends with its parent. */
static void end_unwritten(void)
{
	for (size_t i = 0; i < FAKE_PROCESSES; i++) {
		struct fake_process *f = &fake.processes[i];

		if (f->life == FAKE_FREE || is_check(f->pid))
			continue;
		f->report = -1;
		f->exec_errno = f->exec_errno < 0 ? 0 : f->exec_errno;
		if (!is_written(f->pid))
			f->life = FAKE_FREE;
	}
}

static bool is_had(const struct held *h)
{
	list_each(p, &w.rollout.programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				for (size_t i = 0; i < m->means->held_count; i++)
					if (m->held[i] == h && fake_process(m->worker.process.pid) &&
					    fake_process(m->worker.process.pid)->life == FAKE_ALIVE)
						return true;
	return false;
}

static void lose_socket(const struct held *h)
{
	w.inode[(size_t)address_port(&h->key.address) - 1001] = 0;
	past.lost = true;
}

static void keep_socket(const struct held *h, bool keeper_ends)
{
	if (h->fd < 0)
		return;
	if (keeper_ends && !is_had(h)) {
		lose_socket(h);
		return;
	}
	must(past.kept_count < KEPT_SOCKETS, "the keeper has room");
	past.kept[past.kept_count].fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 0);
	past.kept[past.kept_count++].number = h->kept;
}

static void keep_sockets(bool keeper_ends)
{
	past.kept_count = 0;
	list_each(h, &w.store.sockets, struct held, node)
		for (size_t i = 0; i < group_size(h); i++)
			keep_socket(group_slot(h, i), keeper_ends);
}

/* Whoever asks for a dead manager is the keeper's, and is nobody's news. */
static void forget_checks(void)
{
	if (w.rollout.trials.next)
		list_each(t, &w.rollout.trials, struct trial, node)
			if (t->process.pid && fake_process(t->process.pid)->life == FAKE_ALIVE)
				fake_exit(fake_process(t->process.pid),
					  (struct process_end){ .signal = SIGKILL });
	trials_end(&w.rollout.trials);
}

static void forget_everything(void)
{
	w.store.changed = NULL;		/* nobody writes this down */
	list_each_safe(p, &w.rollout.programs, struct program, node) {
		list_each(g, &p->generations, struct generation, node)
			list_each_safe(m, &g->members, struct member, node)
				member_free(m);
		program_free(p);
	}
	forget_checks();
	store_fini(&w.store);
	settings_unref(w.now);
}

/* What would be written of it now is what was read. */
static void check_revived(const char *text)
{
	struct str now = { 0 };

	list_each(p, &w.rollout.programs, struct program, node)
		if (*text_of(p->name) == text)
			program_record(p, &by_variant, &now);
	if (strcmp(str_text(&now), text) != 0)
		printf("--- written\n%s--- revived\n%s", text, str_text(&now));
	must(strcmp(str_text(&now), text) == 0, "what is revived is what was written");
	str_fini(&now);
}

static void revive_program(const char *text)
{
	struct str all = { 0 };
	struct snapshot s;
	struct err err = { 0 };

	snapshot_begin(&all);
	str_add(&all, text);
	must(snapshot_read(str_text(&all), all.length, &s, &err) == 0, "what was written is read");
	list_each(b, &s.programs, struct snapshot_block, node)
		must(program_revive(&w.rollout, b, &by_variant, &err) == 0,
		     "a program that was written is revived");
	snapshot_fini(&s);
	str_fini(&all);
}

static int kept_fd(int64_t number)
{
	for (size_t i = 0; i < past.kept_count; i++)
		if (past.kept[i].number == number)
			return fd_take(&past.kept[i].fd);
	return -1;
}

static void revive_sockets(void)
{
	struct snapshot s;
	struct str all = { 0 };

	snapshot_begin(&all);
	str_add(&all, past.sockets);
	must(snapshot_read(str_text(&all), all.length, &s, NULL) == 0, "what was written is read");
	list_each(b, &s.sockets, struct snapshot_block, node) {
		int fd = fact_int(&b->head, "slot", 0) ? kept_fd(fact_int(&b->head, "held", 0)) : -1;

		if (fd >= 0)
			must(slot_revive(&w.store, &b->head, &by_variant, &fd) == 0,
			     "a slot that was written is revived");
	}
	list_each(b, &s.sockets, struct snapshot_block, node) {
		int fd = kept_fd(fact_int(&b->head, "held", 0));

		must(fd < 0 || held_revive(&w.store, &b->head, &by_variant, &fd),
		     "a socket that was written is revived");
	}
	for (size_t i = 0; i < past.kept_count; i++)
		fd_close(&past.kept[i].fd);
	snapshot_fini(&s);
	str_fini(&all);
}

static void succeed(bool at_rest)
{
	unsigned long last_number = w.store.last_number;	/* only check_sockets() looks at it */

	store_init(&w.store, w.loop, on_socket, NULL);
	w.store.last_number = last_number;
	list_init(&w.rollout.programs);
	drains_init(&w.rollout.drains, &w.store);
	w.now = settings_ref(past.now);
	revive_sockets();
	reconcile_hold(&w.store, w.now);
	for (size_t i = 0; i < COUNT(names); i++)
		if (past.text[i])
			revive_program(past.text[i]);
	reconcile_end_revival(&w.rollout, &w.store, w.now);
	store_close_given(&w.store);
	for (size_t i = 0; i < COUNT(names); i++)
		if (at_rest && past.text[i])
			check_revived(past.text[i]);
	past_reload();			/* a checkpoint */
}

/* A worker may end while no manager lives. */
static void die_meanwhile(void)
{
	struct fake_process *f = chance(3) ? NULL : some_process();

	if (f) {
		w.a_death = true;
		fake_exit(f, (struct process_end){ .signal = SIGSEGV });
	}
}

static bool somebody_is_not_there(void)
{
	list_each(p, &w.rollout.programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (loop_timer_runs(&m->worker.look_again))
					return true;
	return false;
}

/* Of one that was reaped and not written down nothing is left but that it is gone. */
static void hear_of_the_dead(void)
{
	while (somebody_is_not_there()) {
		w.a_death = true;
		(void)fake_loop_next_timer(w.loop);
	}
	for (size_t i = 0; i < FAKE_PROCESSES; i++)
		if (fake.processes[i].life == FAKE_ZOMBIE)
			must(fake_loop_child(w.loop, fake.processes[i].pid),
			     "every death is heard, also one that nobody saw");
}

/* One that waits is tried again at once by a successor. */
static bool somebody_waits(void)
{
	list_each(h, &w.store.sockets, struct held, node)
		for (size_t i = 0; i < group_size(h); i++)
			if (group_slot(h, i)->fd < 0)
				return true;
	return false;
}

/* In the midst of a turn what has happened may not be written yet: what was told to
 * somebody, or heard of him, may be as if it had not been. */
static void end_manager(void)
{
	enum { MANAGER, KEEPER, BOTH } who = MANAGER;
	bool at_rest = chance(2);

	if (!chance(2))
		who = chance(2) ? KEEPER : BOTH;
	if (at_rest) {
		check();
	} else {
		w.a_death = true;
		fake_loop_settle_some(w.loop, chance(6));
	}
	at_rest = at_rest && !somebody_waits() && who != BOTH && !past.lost;
	/* Who may have said READY=1 to nobody is started anew, and a lost socket bound anew. */
	w.a_death = w.a_death || who == BOTH;
	memset(w.first, 0, sizeof(w.first));
	w.doing = who == BOTH ? "both end" : who == KEEPER ? "the keeper ends" : "the manager ends";
	if (who == KEEPER)
		list_each(p, &w.rollout.programs, struct program, node)
			on_record(p, NULL);
	end_unwritten();
	keep_sockets(who == BOTH);
	forget_everything();
	die_meanwhile();
	succeed(at_rest);
	hear_of_the_dead();
}
