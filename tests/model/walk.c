/* A random walk over the state machines, on a scripted platform and a clock
 * that the test turns: any order of requests, deaths, proofs, busy addresses
 * and failing forks.  After every step the promises of docs/architecture.md
 * must hold; at the end everything must come to rest where it was last asked
 * to.  The seed is printed; walk SEED COUNT walks again from there. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "loop/fake/loop.h"
#include "platform/fake/fake.h"
#include "rollout/heard.h"
#include "rollout/order.h"
#include "rollout/plan.h"
#include "rollout/program.h"
#include "rollout/takeover.h"
#include "socket/group.h"
#include "socket/rebind.h"
#include "supervisor/reconcile.h"

enum { VARIANTS = 48, STEPS = 120, ASKS = 64, SEATS = 8, REST_STEPS = 4000, ENDS = 20 };

static const char *const names[] = { "a", "b" };
static struct settings *variants[VARIANTS];
static char home[64];
static unsigned long seed;

static struct walk {
	struct loop *loop;
	struct store store;
	struct rollout rollout;
	struct settings *now;
	struct ask asks[ASKS];
	bool waits[ASKS];
	size_t asked;
	unsigned step;
	const char *doing;
	bool a_death;		/* a process ended in this step */
	bool covered[COUNT(names)][SEATS];	/* before this step */
	size_t wanted[COUNT(names)];
	unsigned current[COUNT(names)];		/* its number, 0: none */
	unsigned begun[COUNT(names)];		/* of its last one */
	const struct program *first[COUNT(names)];	/* whom it had to wait for */
	unsigned long inode[4];	/* by port, 0: never bound */
	unsigned long number[4];	/* of the held socket that it was */
	bool spoilt[4];
	bool a_reload;			/* in this step */
} w;

/* ---- chance ---- */

static unsigned long state;

static unsigned chance(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}

static void show(void);

static _Noreturn void broken(const char *promise)
{
	show();
	printf("seed %lu, step %u (%s): broken: %s\n", seed, w.step, w.doing, promise);
	fflush(stdout);
	abort();
}

static void must(bool holds, const char *promise)
{
	if (!holds)
		broken(promise);
}

/* ---- configurations ---- */

static const char *pick(const char *const *words, size_t count)
{
	return words[chance((unsigned)count)];
}

#define PICK(...) pick((const char *const[]){ __VA_ARGS__ },                                  \
		       sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void write_program(FILE *f, const char *name)
{
	fprintf(f, "[program:%s]\ncommand = /bin/true %u\nworkers = %u\nstrategy = %s\n"
		   "on_failure = %s\nrolling_batch = %u\nstart_attempts = %s\nrestart = %s\n"
		   "start_timeout = %s\nmax_generations = %u\nstdout = null\nready = notify\n"
		   "stop = %s\nmax_age = %s\nhealth = %s\nhealth_interval = 1s\nhealth_failures = %u\nrollback_window = %s\nmax_memory = %s\nsockets = %s\n", name, chance(3), 1 + chance(3),
		PICK("rolling", "rolling", "overlap", "replace"), PICK("rollback", "stop"),
		1 + chance(2), PICK("0", "2", "3"),
		PICK("always", "always", "always", "on-failure", "on-failure", "never"),
		PICK("5s", "60s"), 2 + chance(3), PICK("TERM:10s KILL", "TERM:5s INT:1s KILL",
						       "KILL"),
		PICK("", "", "10s"), PICK("", "exec:/bin/true", "exec:/bin/true", "http:/"),
		1 + chance(2), PICK("0", "0", "20s", "60s"), PICK("", "", "1M"),
		strcmp(name, names[0]) == 0 ? PICK("s0", "s0, s1", "s1", "s2", "s2, s0")
					    : PICK("s0", "s0, s1", "s1"));
	if (strcmp(name, names[1]) == 0)
		fprintf(f, "after = %s\nstart = %s\n", PICK("", "a"),
			PICK("auto", "manual", "on-demand"));
}

static struct settings *make_variant(void)
{
	char *path = mem_format("%s/conf", home);
	struct faults faults = { 0 };
	struct settings *s;
	FILE *f = fopen(path, "w");

	fprintf(f, "[socket:s0]\nlisten = 127.0.0.1:1001\n%s[socket:s1]\nlisten = %s\n"
		   "[socket:s2]\nlisten = 127.0.0.1:1004\nreuse_port = yes\n",
		PICK("", "", "free_bind = yes\n"),
		PICK("127.0.0.1:1002", "127.0.0.1:1003", "0.0.0.0:1002"));
	write_program(f, names[0]);
	if (chance(4))
		write_program(f, names[1]);
	fclose(f);
	s = settings_load(path, &faults);
	if (!s)
		faults_print(&faults, stdout);
	must(s, "a variant loads");
	free(path);
	return s;
}

/* ---- what must hold ---- */

/* A worker that ended for good by restart = on-failure is where it shall be. */
static bool covered(const struct program *p, unsigned index)
{
	if (p->asleep || (p->current && generation_seat_open(p->current, index) &&
			  p->current->seats[index]->done))
		return true;
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			if (m->seat && m->index == index && m->worker.state == WORKER_SERVING)
				return true;
	return false;
}

static bool replaces(const struct program *p)
{
	if (p->strategy == STRATEGY_REPLACE ||
	    p->wanted->program->strategy == STRATEGY_REPLACE)
		return true;
	list_each(g, &p->generations, struct generation, node)
		if (g->means->program->strategy == STRATEGY_REPLACE)
			return true;
	return false;
}

static void remember(void)
{
	for (size_t n = 0; n < COUNT(names); n++) {
		const struct program *p = program_find(&w.rollout, names[n]);

		w.wanted[n] = p && p->up && p->current && !replaces(p)
				      ? program_wanted_workers(p) : 0;
		for (unsigned i = 0; i < SEATS; i++)
			w.covered[n][i] = p && covered(p, i);
	}
	w.a_death = w.a_reload = false;
}

/* 2: what serves is not told to go before somebody else serves in its place. */
static void check_covered(void)
{
	for (size_t n = 0; n < COUNT(names); n++) {
		const struct program *p = program_find(&w.rollout, names[n]);
		size_t wanted = p && p->up ? program_wanted_workers(p) : 0;

		if (!p || !p->up || w.a_death || replaces(p))
			continue;
		for (unsigned i = 0; i < SEATS && i < w.wanted[n] && i < wanted; i++)
			must(!w.covered[n][i] || covered(p, i),
			     "2: a serving worker goes only when another serves in its place");
		must(w.wanted[n] == 0 || p->current || p->asleep,
		     "2: a program that had a current generation has one");
	}
}

static bool heard_beside(const struct held *h)
{
	list_each(o, &w.store.sockets, struct held, node)
		if (rebind_rivals(h, o) && !o->deaf)
			return true;
	return false;
}

/* Clients come to it, or to one that has its place and somebody who serves. */
static bool reached(const struct held *h)
{
	if (h->fd < 0 || !h->deaf)
		return true;
	list_each(o, &w.store.sockets, struct held, node)
		if (rebind_rivals(h, o) && !o->deaf && o->audience)
			return true;
	return false;
}

/* 1, where sockets take the place of others: some socket hears at each address, and
 * what hears is served if anything is. */
static void check_rivals(void)
{
	list_each(h, &w.store.sockets, struct held, node) {
		must(!h->deaf || heard_beside(h), "1: a deaf socket has one beside it that hears");
		must(!h->leaving || h->references, "3: what leaves belongs to a generation");
	}
	list_each(p, &w.rollout.programs, struct program, node)
		for (size_t i = 0; p->current && i < p->current->means->held_count; i++)
			must((p->next && p->next->takes_over) ||
				     p->current->means->held[i]->spoilt || reached(p->current->means->held[i]),
			     "1: what a current generation has is heard");
}

/* 1, 6: every configured key listens from its first bind on, by the same
 * socket until a reload binds it anew, or waits and will be tried again. */
static void check_sockets(void)
{
	for (size_t i = 0; i < w.now->socket_count; i++) {
		const struct socket_settings *s = w.now->sockets[i];
		size_t place = (size_t)address_port(&s->addresses[0]) - 1001;
		struct held *h;
		struct key key;

		key_make(&s->addresses[0], SOCK_STREAM, 0, &key);
		h = store_claim(&w.store, &key);
		must(h, "1: a configured key is held");
		must(h->state == HELD_LISTENING ||
			     (h->state == HELD_WAITING && loop_timer_runs(&h->gate.again)),
		     "6: a held socket listens or is tried again");
		must(!w.inode[place] || w.inode[place] == h->inode ||
			     ((w.a_reload || w.spoilt[place]) && h->number > w.number[place]),
		     "1: a bound key keeps its socket until it has to be bound anew");
		w.spoilt[place] = h->spoilt;
		w.inode[place] = h->inode;
		w.number[place] = h->number;
	}
	for (size_t place = 0; place < COUNT(w.inode); place++) {
		bool there = false;

		list_each(h, &w.store.sockets, struct held, node)
			there = there || (size_t)address_port(&h->key.address) == 1001 + place;
		if (!there)
			w.inode[place] = 0;
	}
}

/* 2, 7: nothing becomes current with a worker that was given up on the way, and
 * what failed for good says why. */
static void check_given_up(void)
{
	for (size_t n = 0; n < COUNT(names); n++) {
		const struct program *p = program_find(&w.rollout, names[n]);
		const struct generation *g = p ? p->current : NULL;
		bool fresh = g && g->number != w.current[n];

		for (size_t i = 0; g && i < g->seat_count; i++) {
			const struct seat *seat = g->seats[i];

			if (!seat->open || !seat->done || seat->done_well)
				continue;
			must(!fresh || !seat->failures, "2: what becomes current was proved");
			must(p->last_error, "7: what failed for good says why");
		}
		w.current[n] = g ? g->number : 0;
	}
}

static bool is_served(const struct program *p, const struct held *h)
{
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			for (size_t i = 0; i < m->means->held_count; i++)
				if (m->held[i] == h && m->worker.state == WORKER_SERVING)
					return true;
	return false;
}

/* 1: whoever lives keeps the socket of his slot, and clients are not kept waiting at
 * one that nobody serves. */
static void check_group(const struct program *p, const struct held *leader)
{
	size_t count = p->quiet_since ? p->quiet_wanted : group_size(leader), served = 0;

	/* Those beyond are about to go, and get nothing. */
	for (size_t i = 0; i < count && i < group_size(leader); i++)
		served += is_served(p, group_slot(leader, i));
	for (size_t i = 0; served && i < group_size(leader); i++)
		must(!group_slot(leader, i)->served || is_served(p, group_slot(leader, i)),
		     "1: a slot without a worker gets nothing while another has one");
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			for (size_t i = 0; i < m->means->held_count; i++)
				must(m->means->held[i] != leader ||
				     (m->index < group_size(leader) &&
				      m->held[i] == group_slot(leader, m->index)),
				     "1: a slot stays while it has a worker");
}

static void check_groups(void)
{
	list_each(p, &w.rollout.programs, struct program, node)
		list_each(h, &w.store.sockets, struct held, node)
			if (h->group)
				check_group(p, h);
}

/* A first start waits for those that come before and after this step. */
static void check_begun(size_t n)
{
	const struct program *p = program_find(&w.rollout, names[n]);
	const struct program *first = p ? order_before_start(p) : NULL;

	must(!first || first != w.first[n] || w.a_reload || p->last_number == w.begun[n],
	     "after: a first start waits for those that come");
	w.first[n] = first;
	w.begun[n] = p ? p->last_number : 0;
}

/* Who waits for another neither begins nor lets go. */
static void check_order(void)
{
	for (size_t n = 0; n < COUNT(names); n++)
		check_begun(n);
	list_each(p, &w.rollout.programs, struct program, node) {
		if (!p->behind)
			continue;
		must(p->up ? !p->current && !p->next : p->current != NULL,
		     "after: who waits neither begins nor lets go");
	}
}

static void check(void)
{
	fake_loop_settle(w.loop);
	must(fake.strangers == 0, "4: a signal goes only to a process that is ours");
	check_covered();
	check_given_up();
	check_sockets();
	check_rivals();
	check_groups();
	check_order();
	remember();
}

/* ---- what may happen ---- */

static void on_done(struct ask *a, bool ok, const char *text, const struct text_list *lines)
{
	size_t i = (size_t)(a - w.asks);

	(void)ok;
	(void)lines;
	must(w.waits[i], "7: an outcome is told once");
	must(text && *text, "7: an outcome says what it is");
	w.waits[i] = false;
}

static struct ask *new_ask(void)
{
	for (size_t i = 0; i < ASKS; i++)
		if (!w.waits[i]) {
			w.waits[i] = true;
			w.asks[i] = (struct ask){ .done = on_done };
			return &w.asks[i];
		}
	return NULL;
}

static struct ask *ask_for(const char *name, void *ctx)
{
	(void)name;
	(void)ctx;
	return new_ask();
}

static void past_reload(void);

static bool any_rebind(const struct plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->steps[i].action == PLAN_REBIND)
			return true;
	return false;
}

static void to_variant(struct settings *next)
{
	struct plan plan;
	struct err err;
	bool rebinds;
	int rc;

	plan_make(w.now, next, &w.rollout, &plan);
	rc = reconcile(&(struct reconcile){ .rollout = &w.rollout, .store = &w.store,
					    .was = w.now, .now = next, .ask_for = ask_for },
		       &plan, &err);
	rebinds = any_rebind(&plan);
	plan_fini(&plan);
	w.a_reload = true;
	if (rc < 0 && fake.bind_errno && rebinds)
		return;
	if (rc < 0)
		printf("%s\n", err.text);
	must(rc == 0, "a reload of a sound file goes through");
	settings_unref(w.now);
	w.now = settings_ref(next);
	past_reload();
}

static void reload(struct program *p)
{
	(void)p;
	to_variant(variants[chance(VARIANTS)]);
}

static void start(struct program *p)
{
	program_start(p, new_ask());
}

static void restart(struct program *p)
{
	program_restart(p, new_ask());
}

static void rollback(struct program *p)
{
	program_rollback(p, new_ask());
}

static void stop(struct program *p)
{
	program_stop(p, new_ask());
}

static void scale(struct program *p)
{
	program_scale(p, 1 + chance(4), new_ask());
}

static void hurry(struct program *p)
{
	program_hurry(p, WORKER_EV_HURRY);
}

static struct fake_process *process_of(const struct member *m)
{
	return fake_process(m->worker.process.pid);
}

/* It was told to stop, has something to end, and time for it. */
static bool has_its_time(const struct member *m, int64_t now)
{
	const struct fake_process *f = process_of(m);

	return m->worker.state == WORKER_DRAINING && f && (f->connections || !f->let_go) &&
	       m->worker.deadline.fake.due > now && !m->generation->hurried;
}

static void check_waited_for(struct member *const *waited, size_t count)
{
	fake_loop_settle(w.loop);
	for (size_t i = 0; i < count; i++)
		must(waited[i]->worker.state == WORKER_DRAINING || waited[i]->generation->hurried,
		     "a worker that has a listener or a connection is given its time");
}

static void let_time_pass(void)
{
	struct member *waited[FAKE_PROCESSES];
	int64_t due = fake_loop_next_due(w.loop);
	size_t count = 0;

	list_each(p, &w.rollout.programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (has_its_time(m, due))
					waited[count++] = m;
	(void)fake_loop_next_timer(w.loop);
	check_waited_for(waited, count);
}

/* A worker that is not heard of may be given up. */
static void turn_clock(struct program *p)
{
	(void)p;
	list_each(some, &w.rollout.programs, struct program, node)
		list_each(g, &some->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				w.a_death = w.a_death ||
					loop_timer_runs(&m->worker.look_again) ||
					(m->watchdog.loop &&
					m->watchdog.timer.fake.due == fake_loop_next_due(w.loop));
	let_time_pass();
}

static struct fake_process *some_process(void)
{
	unsigned from = chance(FAKE_PROCESSES);

	for (unsigned i = 0; i < FAKE_PROCESSES; i++) {
		struct fake_process *f = &fake.processes[(from + i) % FAKE_PROCESSES];

		if (f->life == FAKE_ALIVE)
			return f;
	}
	return NULL;
}

static struct member *member_of(pid_t pid)
{
	list_each(p, &w.rollout.programs, struct program, node)
		list_each(g, &p->generations, struct generation, node)
			list_each(m, &g->members, struct member, node)
				if (m->worker.pid == pid)
					return m;
	return NULL;
}

static void die(struct fake_process *f, struct process_end end)
{
	w.a_death = w.a_death || member_of(f->pid);
	fake_exit(f, end);
	must(fake_loop_child(w.loop, f->pid), "every death is heard");
}

static void crash(struct program *p)
{
	struct fake_process *f = some_process();

	(void)p;
	if (f)
		die(f, chance(2) ? (struct process_end){ .code = (int)chance(2) }
				 : (struct process_end){ .signal = SIGSEGV });
}

static void exec_fails(struct program *p)
{
	struct fake_process *f = some_process();

	(void)p;
	if (!f || f->exec_errno >= 0)
		return;
	f->exec_errno = ENOENT;
	(void)fake_loop_io(w.loop, f->report, LOOP_READ);
	die(f, (struct process_end){ .code = 127 });
}

static void prove_one(struct fake_process *f)
{
	struct member *m = member_of(f->pid);

	if (f->exec_errno < 0) {
		f->exec_errno = 0;
		(void)fake_loop_io(w.loop, f->report, LOOP_READ);
	}
	if (m && m->worker.state == WORKER_STARTING)
		proof_said_ready(&m->proof);
}

static void prove(struct program *p)
{
	struct fake_process *f = some_process();

	(void)p;
	if (f)
		prove_one(f);
}

/* Somebody says something that ends it, or asks for more time. */
static void say(struct program *p)
{
	struct fake_process *f = some_process();
	struct member *m = f ? member_of(f->pid) : NULL;
	int fd = dup(STDOUT_FILENO);
	struct notify_message message = { .fds = &fd, .fd_count = 1 };
	unsigned what = chance(10);

	(void)p;
	message.trigger = what == 0;
	message.stopping = what == 1;
	message.extend_usec = what == 2 ? 30000000 : 0;
	message.restart_reset = what == 3;
	message.reloading = what == 4;
	message.ready = what == 5;
	message.has_watchdog = what == 6;
	message.watchdog_usec = 5000000;
	message.ping = what == 7;
	message.store = what == 8;
	message.store_remove = what == 9;
	memcpy(message.fd_name, "a", 2);
	w.a_death = w.a_death || message.trigger || message.stopping;
	if (m)
		member_heard(m, &message);
	fd_close(&fd);
}

/* One that was told to end does so: at KILL always, at TERM if it is well-bred. */
static void obey(struct program *p)
{
	(void)p;
	for (size_t i = 0; i < FAKE_PROCESSES; i++) {
		struct fake_process *f = &fake.processes[i];

		if (f->life != FAKE_ALIVE || !f->signals)
			continue;
		if ((f->signals & (1UL << SIGKILL)) || chance(2))
			die(f, (struct process_end){ .code = 0 });
	}
}

/* Clients come and leave, a worker closes its listener. */
static void serve_clients(struct program *p)
{
	struct fake_process *f = some_process();

	(void)p;
	if (!f)
		return;
	f->connections = (int)chance(4) - 1;
	f->let_go = f->let_go || chance(2);
	fake.cannot_count = chance(8) == 0;
}

static void toggle_busy(struct program *p)
{
	(void)p;
	fake.bind_errno = fake.bind_errno ? 0 : EADDRINUSE;
}

/* Somebody comes to the sockets of one that sleeps. */
static void come(struct program *p)
{
	if (!p->asleep || !p->wanted->held_count || p->wanted->held[0]->fd < 0)
		return;
	(void)fake_loop_io(w.loop, p->wanted->held[0]->fd, LOOP_READ);
	must(!p->asleep || loop_timer_runs(&p->retry) || !list_empty(&p->generations) ||
		     p->wanted->held[0]->state != HELD_LISTENING,
	     "on-demand: who comes wakes it");
}

/* Every check that runs says that somebody is not well. */
static void ail(struct program *p)
{
	(void)p;
	for (size_t i = 0; i < FAKE_PROCESSES; i++) {
		struct fake_process *f = &fake.processes[i];

		if (f->life == FAKE_ALIVE && !member_of(f->pid))
			die(f, (struct process_end){ .code = 1 });
	}
}

static void grow(struct program *p)
{
	struct fake_process *f = some_process();

	(void)p;
	if (f)
		f->memory = 2 << 20;
}

/* Whether clients wait in the queues of sockets whose place was taken. */
static void toggle_waiting(struct program *p)
{
	(void)p;
	fake.waiting = !fake.waiting;
}

/* A worker does to a socket what only another bind cures. */
static void spoil(struct program *p)
{
	if (p->wanted->held_count)
		p->wanted->held[0]->spoilt = true;
}

static void toggle_fork(struct program *p)
{
	(void)p;
	fake.spawn_errno = fake.spawn_errno ? 0 : EAGAIN;
}

static const struct {
	const char *name;
	unsigned weight;
	void (*happen)(struct program *p);
} happenings[] = {
	{ "rollback", 3, rollback },
	{ "start", 4, start },	   { "restart", 8, restart },	{ "stop", 3, stop },
	{ "scale", 3, scale },	   { "reload", 6, reload },	{ "hurry", 1, hurry },
	{ "clock", 20, turn_clock }, { "crash", 8, crash },	{ "exec fails", 2, exec_fails },
	{ "prove", 40, prove },	   { "obey", 16, obey },	{ "busy", 1, toggle_busy },
	{ "fork", 2, toggle_fork },	{ "waiting", 2, toggle_waiting },
	{ "spoil", 1, spoil },	   { "grow", 3, grow },	   { "ail", 16, ail },	   { "come", 3, come },
	{ "say", 6, say },	   { "clients", 12, serve_clients },
};

static void happen_something(void)
{
	struct program *p = program_find(&w.rollout, names[chance(COUNT(names))]);
	unsigned total = 0, at;

	for (size_t i = 0; i < COUNT(happenings); i++)
		total += happenings[i].weight;
	at = chance(total);
	for (size_t i = 0; i < COUNT(happenings); i++) {
		if (at >= happenings[i].weight) {
			at -= happenings[i].weight;
			continue;
		}
		w.doing = happenings[i].name;
		if (p)
			happenings[i].happen(p);
		return;
	}
}

#include "successor.h"

/* ---- coming to rest ---- */

/* on_failure = stop leaves old and new beside each other, until somebody asks
 * for another change. */
static bool stopped_half_way(const struct program *p)
{
	list_each(g, &p->generations, struct generation, node)
		if (g->halted && g->state == GENERATION_PARTIAL)
			return p->up && !p->next;
	return false;
}

/* restart = on-failure: a worker that ended well is not missed. */
static size_t ended_well(const struct program *p)
{
	size_t n = 0;

	for (size_t i = 0; p->current && i < p->current->seat_count; i++)
		n += p->current->seats[i]->open && p->current->seats[i]->done;
	return n;
}

static bool program_at_rest(const struct program *p)
{
	if (p->removed || p->next)
		return false;
	if (!p->up || p->asleep)
		return list_empty(&p->generations);
	return stopped_half_way(p) ||
	       (p->state == PROGRAM_RUNNING && p->generations.next == p->generations.before &&
		program_ready_workers(p) + ended_well(p) == program_wanted_workers(p));
}

static bool at_rest(void)
{
	for (size_t i = 0; i < ASKS; i++)
		if (w.waits[i])
			return false;
	list_each(p, &w.rollout.programs, struct program, node)
		if (!program_at_rest(p))
			return false;
	return true;
}

static void show(void)
{
	if (!w.rollout.programs.next)
		return;
	for (size_t i = 0; i < ASKS; i++)
		if (w.waits[i])
			printf("  ask %zu of %s waits: kind %d, ticket %u\n", i,
			       w.asks[i].program->name, (int)w.asks[i].kind, w.asks[i].ticket);
	list_each(h, &w.store.sockets, struct held, node)
		printf("  socket %lu, port %d: %s%s%s%s, %u references\n", h->number,
		       address_port(&h->key.address), held_state_word(h->state),
		       h->leaving ? ", leaving" : "", h->deaf ? ", deaf" : "",
		       h->audience ? ", has an audience" : "", h->references);
	list_each(p, &w.rollout.programs, struct program, node) {
		printf("  %s: %s, up %d, removed %d, wish %u/%u, wants %zu, ready %zu\n", p->name,
		       program_state_word(p->state), p->up, p->removed, p->wish, p->done_wish,
		       program_wanted_workers(p), program_ready_workers(p));
		list_each(g, &p->generations, struct generation, node) {
			printf("    %u: %s%s%s%s\n", g->number, generation_state_word(g->state),
			       g->halted ? " halted" : "", g == p->current ? " current" : "",
			       g == p->next ? " next" : "");
			list_each(m, &g->members, struct member, node)
				printf("      %s: %s%s\n", m->name,
				       worker_state_word(m->worker.state),
				       m->seat ? "" : ", without a seat");
		}
	}
}

/* True if somebody had something to prove, or to obey. */
static bool be_kind(void)
{
	bool any = false;

	for (size_t k = 0; k < FAKE_PROCESSES; k++) {
		struct fake_process *f = &fake.processes[k];
		struct member *m = f->life == FAKE_ALIVE ? member_of(f->pid) : NULL;

		if (f->life == FAKE_ALIVE && (f->signals || !m))
			die(f, (struct process_end){ .code = 0 });
		else if (m && m->worker.state == WORKER_STARTING)
			prove_one(f);
		else {
			if (m)
				watchdog_ping(&m->watchdog);
			continue;
		}
		any = true;
		check();
	}
	return any;
}

/* A kind world: everybody proves itself and does as told, before time passes. */
static void rest(void)
{
	w.doing = "coming to rest";
	fake.bind_errno = fake.spawn_errno = 0;
	fake.waiting = false;
	check();
	for (int i = 0; i < REST_STEPS && !at_rest(); i++) {
		while (be_kind())
			;
		if (!at_rest())
			turn_clock(NULL);
		check();
	}
	must(at_rest(), "5, 7: everything comes to rest, and everybody is told");
	list_each(p, &w.rollout.programs, struct program, node)
		must(!p->current || !p->current->condemned || p->current->judged,
		     "2: what is no good goes back, if there is something to go back to");
}

/* 5: what was asked last is what runs. */
static void check_converged(const struct settings *last)
{
	list_each(p, &w.rollout.programs, struct program, node) {
		const struct program_settings *s = settings_program(last, p->name);

		must(s, "5: a removed program is gone");
		must(p->current || p->asleep, "5: a started program has a current generation, or sleeps");
		for (size_t i = 0; i < p->wanted->held_count; i++)
			must(!p->wanted->held[i]->group ||
			     group_size(p->wanted->held[i]) <= 1 ||
			     group_size(p->wanted->held[i]) == program_wanted_workers(p),
			     "5: a group has a slot a worker");
		must(program_settings_effect((p->current ? p->current->means : p->wanted)->program,
					     s, NULL) == EFFECT_NONE,
		     "5: the last configuration is what runs");
	}
}

static size_t open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static void converge_on_last(void)
{
	struct settings *last = variants[chance(VARIANTS)];

	rest();
	to_variant(last);
	list_each_safe(p, &w.rollout.programs, struct program, node)
		if (!p->removed)
			program_start(p, new_ask());
	check();
	rest();
	/* A change that was taken back in bad times is asked for once more. */
	list_each_safe(p, &w.rollout.programs, struct program, node)
		program_restart(p, new_ask());
	rest();
	check_converged(last);
	list_each(h, &w.store.sockets, struct held, node)
		must(!h->leaving && !h->deaf && (!h->shared || h->fd < 0) &&
			     (!h->spoilt || h->renewed || h->references == 1),
		     "1: nothing is left of a change that has come to its end");
}

static void everything_goes(void)
{
	list_each_safe(p, &w.rollout.programs, struct program, node)
		program_stop(p, new_ask());
	rest();
	list_each_safe(p, &w.rollout.programs, struct program, node)
		program_free(p);
	forget_checks();
	reconcile_release(&w.store, w.now);
	must(list_empty(&w.store.sockets), "3: no socket outlives its last reference");
	store_fini(&w.store);
	settings_unref(w.now);
	past_clear();
	loop_free(w.loop);
}

/* Somebody lives who could accept what waits in a socket that is deaf by now. */
static bool could_accept(const struct program *p)
{
	list_each(g, &p->generations, struct generation, node)
		for (size_t i = 0; i < g->means->held_count; i++)
			if (g != p->next && !list_empty(&g->members) && g->means->held[i]->deaf)
				return true;
	return false;
}

/* Nobody lets go before it is his turn. */
static void check_turn(const struct program *p, const struct news *n)
{
	if (strcmp(n->what, "generation") == 0 && strcmp(n->state, "draining") == 0 && !p->up)
		must(p->hasty || !order_before_stop(p), "after: who is after another goes first");
}

/* 1: who waits in the queue of a socket whose place is taken is accepted before
 * those who could do it are told to stop. */
static void on_news(const struct news *n, void *ctx)
{
	const struct program *p = program_find(&w.rollout, n->program);

	(void)ctx;
	/* Two changes in one step: how the first went about it is not seen any more. */
	w.a_death = w.a_death || (n->text && strstr(n->text, "is to be taken back"));
	if (p)
		check_turn(p, n);
	if (!p || strcmp(n->what, "generation") != 0 || strcmp(n->state, "current") != 0 ||
	    !takeover_rebinds(p))
		return;
	must(p->next->takes_over, "1: what is new comes to a generation before it is current");
	must(!fake.waiting || !could_accept(p) ||
		     loop_now(w.loop) - p->took_over >= TAKEOVER_MOST_MS,
	     "1: old queues are emptied before their workers go");
}

static void walk_once(unsigned long number)
{
	size_t before = open_descriptors();

	seed = number;
	state = number * 2654435761UL + 88172645463325252UL;
	memset(&w, 0, sizeof(w));
	fake_reset();
	w.loop = loop_new(NULL);
	store_init(&w.store, w.loop, on_socket, NULL);
	w.rollout = (struct rollout){ .loop = w.loop, .store = &w.store, .notify_dir = home,
				      .news = on_news, .record = on_record,
				      .program_gone = on_program_gone };
	list_init(&w.rollout.programs);
	drains_init(&w.rollout.drains, &w.store);
	w.doing = "cold start";
	w.now = NULL;
	to_variant(variants[chance(VARIANTS)]);
	check();
	for (w.step = 1; w.step <= STEPS; w.step++) {
		happen_something();
		if (!chance(ENDS))
			end_manager();
		check();
	}
	converge_on_last();
	everything_goes();
	must(open_descriptors() == before, "3: every descriptor has an owner, and is closed");
}

static void quiet(enum log_level level, const char *line, void *ctx)
{
	(void)level;
	(void)line;
	(void)ctx;
}

static void loud(enum log_level level, const char *line, void *ctx)
{
	(void)ctx;
	printf("  %s: %s\n", log_level_word(level), line);
}

static void tidy_home(void)
{
	char *conf = mem_format("%s/conf", home);

	(void)unlink(conf);
	(void)rmdir(home);
	free(conf);
}

int main(int argc, char **argv)
{
	unsigned long from = argc > 1 ? strtoul(argv[1], NULL, 10) : (unsigned long)time(NULL);
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;

	/* Sockets are made by the ten thousand: not on a disk, if there is a choice. */
	(void)snprintf(home, sizeof(home), "%s/holdport-model-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(home) || clearenv() < 0)
		return 1;
	log_to(argc > 3 ? loud : quiet, NULL);
	state = 42;
	for (size_t i = 0; i < VARIANTS; i++)
		variants[i] = make_variant();
	printf("seed %lu, %lu schedules of %d steps\n", from, count, STEPS);
	fflush(stdout);
	for (unsigned long i = 0; i < count; i++)
		walk_once(from + i);
	for (size_t i = 0; i < VARIANTS; i++)
		settings_unref(variants[i]);
	tidy_home();
	printf("%lu passed, 0 failed\n", count);
	return 0;
}
