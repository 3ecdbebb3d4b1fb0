/* Workers that were told to stop, on a clock that the test turns and with counts
 * that it scripts: who is waited for, who is not, and what is told meanwhile. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "loop/fake/loop.h"
#include "platform/fake/fake.h"
#include "rollout/heard.h"
#include "rollout/plan.h"
#include "rollout/program.h"
#include "supervisor/reconcile.h"

enum { WORKERS = 2, PATIENCE = 30000 };

static char home[64];
static struct loop *loop;
static struct store store;
static struct rollout rollout;
static struct settings *settings;
static struct program *web;
static struct member *members[WORKERS];	/* of the generation that is told to stop */
static struct fake_process *processes[WORKERS];
static unsigned told;			/* counts of the first */
static char last[DRAIN_TEXT_SIZE];

static unsigned complaints;		/* that nothing can be counted */

static void hear(enum log_level level, const char *line, void *ctx)
{
	(void)level, (void)ctx;
	complaints += strstr(line, "connections cannot be counted") != NULL;
}

static void on_news(const struct news *n, void *ctx)
{
	(void)ctx;
	if (!n->drain || n->worker)
		return;
	told++;
	(void)snprintf(last, sizeof(last), "%s", n->text);
}

static void on_socket(struct held *h, void *ctx)
{
	(void)h, (void)ctx;
}

static struct settings *load(const char *ladder, const char *type)
{
	char *path = mem_format("%s/conf", home);
	struct faults faults = { 0 };
	struct settings *s;
	FILE *f = fopen(path, "w");

	fprintf(f, "[socket:s]\nlisten = 127.0.0.1:1001\ntype = %s\n[program:web]\n"
		   "command = /bin/true\nworkers = %d\nstdout = null\nready = notify\n"
		   "sockets = s\nstop = %s\n", type, WORKERS, ladder);
	fclose(f);
	s = settings_load(path, &faults);
	if (!s)
		faults_print(&faults, stderr);
	assert_non_null(s);
	(void)unlink(path);
	free(path);
	return s;
}

static void prove_all(void)
{
	list_each(g, &web->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			if (m->worker.state == WORKER_STARTING)
				proof_said_ready(&m->proof);
	fake_loop_settle(loop);
}

static void start(const char *ladder, const char *type)
{
	struct plan plan;
	size_t i = 0;

	fake_reset();
	loop = loop_new(NULL);
	store_init(&store, loop, on_socket, NULL);
	rollout = (struct rollout){ .loop = loop, .store = &store, .notify_dir = home,
				    .news = on_news };
	list_init(&rollout.programs);
	drains_init(&rollout.drains, &store);
	settings = load(ladder, type);
	plan_make(NULL, settings, &rollout, &plan);
	assert_int_equal(reconcile(&(struct reconcile){ .rollout = &rollout, .store = &store,
							.now = settings }, &plan, NULL), 0);
	plan_fini(&plan);
	fake_loop_settle(loop);
	web = program_find(&rollout, "web");
	prove_all();
	assert_int_equal(web->state, PROGRAM_RUNNING);
	list_each(m, &web->current->members, struct member, node) {
		members[i] = m;
		processes[i++] = fake_process(m->worker.pid);
	}
	told = 0;
	*last = '\0';
}

static void over(struct loop_timer *t)
{
	(void)t;
}

/* Everything that is due until then. */
static void pass(int64_t ms)
{
	static struct loop_timer end;

	loop_timer_start(loop, &end, ms, over);
	while (loop_timer_runs(&end) && fake_loop_next_timer(loop))
		fake_loop_settle(loop);
}

static void kill_all(void)
{
	for (size_t i = 0; i < FAKE_PROCESSES; i++)
		if (fake.processes[i].life == FAKE_ALIVE) {
			fake_exit(&fake.processes[i], (struct process_end){ .signal = SIGKILL });
			(void)fake_loop_child(loop, fake.processes[i].pid);
			fake_loop_settle(loop);
		}
}

static void finish(void)
{
	program_stop(web, NULL);
	fake_loop_settle(loop);
	kill_all();
	assert_int_equal(web->state, PROGRAM_STOPPED);
	assert_int_equal(fake_loop_next_due(loop), -1);
	assert_int_equal(fake.strangers, 0);
	program_free(web);
	reconcile_release(&store, settings);
	store_fini(&store);
	settings_unref(settings);
	loop_free(loop);
}

static bool got(size_t i, int number)
{
	return processes[i]->signals & (1UL << number);
}

static void stop(void)
{
	program_stop(web, NULL);
	fake_loop_settle(loop);
	assert_true(got(0, SIGTERM) && got(1, SIGTERM));
}

static void an_empty_one_gets_its_next_rung_a_second_later(void **state)
{
	(void)state;
	start("TERM:30s INT:30s KILL", "stream");
	processes[0]->connections = processes[1]->connections = 1;
	stop();
	pass(5000);
	processes[0]->connections = 0;
	processes[0]->let_go = true;
	pass(900);
	assert_false(got(0, SIGINT));
	pass(1200);
	assert_true(got(0, SIGINT));
	assert_int_equal(members[0]->worker.state, WORKER_STOPPING);
	/* The rung that it has now is given its time: nobody is rushed to the last. */
	pass(PATIENCE - 3000);
	assert_int_equal(members[0]->worker.state, WORKER_STOPPING);
	finish();
}

static void one_with_a_connection_is_waited_for(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	processes[0]->connections = 1;
	processes[0]->let_go = true;
	stop();
	pass(PATIENCE - 1);
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	assert_false(got(0, SIGKILL));
	pass(2);
	assert_true(got(0, SIGKILL));
	finish();
}

static void one_that_has_the_listener_is_waited_for(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	stop();
	pass(PATIENCE - 1);
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	finish();
}

static void one_that_is_empty_for_a_moment_only_is_waited_for(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	processes[0]->let_go = true;
	stop();
	for (int i = 0; i < 90; i++) {
		processes[0]->connections = i % 2;
		pass(300);
	}
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	finish();
}

static void one_that_cannot_be_seen_is_waited_for(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	processes[0]->connections = -1;
	processes[0]->let_go = true;
	stop();
	pass(PATIENCE - 1);
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	assert_int_equal(told, 0);
	finish();
}

/* A datagram has no connection: who serves them may be at work. */
static void one_with_datagrams_is_waited_for(void **state)
{
	(void)state;
	start("TERM:30s KILL", "datagram");
	processes[0]->let_go = true;
	stop();
	pass(PATIENCE - 1);
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	assert_int_equal(told, 0);
	finish();
}

static void say(size_t i, struct notify_message *message)
{
	member_heard(members[i], message);
	fake_loop_settle(loop);
}

static void one_that_asks_for_time_has_it(void **state)
{
	struct notify_message more = { .extend_usec = 10000000 };

	(void)state;
	start("TERM:30s KILL", "stream");
	processes[0]->let_go = true;
	stop();
	say(0, &more);
	pass(9900);
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	pass(2500);
	assert_true(got(0, SIGKILL));
	finish();
}

/* It was not told to stop: it may be on its way in its own time. */
static void one_that_leaves_by_itself_is_waited_for(void **state)
{
	struct notify_message stopping = { .stopping = true };

	(void)state;
	start("TERM:30s KILL", "stream");
	processes[0]->let_go = true;
	say(0, &stopping);
	pass(PATIENCE - 1);
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	finish();
}

static void the_number_is_told_when_it_is_another_once_a_second_at_most(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	processes[0]->connections = 12;
	stop();
	pass(5990);
	assert_int_equal(told, 1);
	assert_string_equal(last, "12 connections left, 30s at most");
	for (int i = 0; i < 40; i++) {
		processes[0]->connections = 100 + i;
		pass(250);
	}
	assert_in_range(told, 6, 12);
	processes[0]->connections = 1;
	pass(2000);
	assert_string_equal(last, "1 connection left, 14s at most");
	finish();
}

static void nothing_is_counted_while_nothing_drains(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	assert_int_equal(fake_loop_next_due(loop), -1);
	stop();
	pass(PATIENCE - 1);
	/* Sparse: both at once, at most four a second, soon one. */
	assert_in_range(fake.counts, 20, 40);
	kill_all();
	fake.counts = 0;
	program_start(web, NULL);
	fake_loop_settle(loop);
	prove_all();
	assert_int_equal(fake_loop_next_due(loop), -1);
	assert_int_equal(fake.counts, 0);
	finish();
}

static void the_last_one_that_is_killed_ends_the_counting(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	processes[0]->let_go = processes[1]->let_go = true;
	stop();
	pass(3000);
	assert_true(got(0, SIGKILL) && got(1, SIGKILL));
	assert_int_equal(fake_loop_next_due(loop), -1);
	finish();
}

static void a_system_that_cannot_count_is_not_asked_again(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	fake.cannot_count = true;
	processes[0]->let_go = true;
	stop();
	pass(1000);
	assert_false(loop_timer_runs(&rollout.drains.tick));
	assert_int_equal(complaints, 1);
	pass(PATIENCE - 1001);
	assert_int_equal(members[0]->worker.state, WORKER_DRAINING);
	kill_all();
	program_start(web, NULL);
	fake_loop_settle(loop);
	prove_all();
	program_stop(web, NULL);
	fake_loop_settle(loop);
	pass(1000);
	assert_int_equal(complaints, 1);
	finish();
}

static struct held *hold(const char *text)
{
	struct address address;
	struct held *h;
	struct key key;

	assert_int_equal(address_parse(text, &address, NULL), 0);
	key_make(&address, SOCK_STREAM, 0, &key);
	h = store_add(&store, &key, settings->sockets[0], 0);
	held_ref(h);
	return h;
}

/* The kernel gives the port and the address, not the listener. */
static void connections_of_a_socket_that_is_bound_anew_are_found(void **state)
{
	struct held *wider, *other;
	int by_held[1];
	struct count count;
	struct counted c = { .ret = &count, .by_held = by_held };

	(void)state;
	start("TERM:30s KILL", "stream");
	wider = hold("0.0.0.0:1001");
	other = hold("127.0.0.1:1002");
	c.worker = &members[0]->worker;
	c.held = members[0]->held;
	c.held_count = 1;
	processes[0]->connections = 7;
	for (size_t i = 0; i < 3; i++) {
		processes[0]->came_by = i;
		assert_int_equal(count_workers(&store, &c, 1, NULL), 0);
		assert_int_equal(count.connections, 7);
		assert_int_equal(by_held[0], i < 2 ? 7 : 0);
	}
	processes[0]->connections = -1;
	assert_int_equal(count_workers(&store, &c, 1, NULL), 0);
	assert_int_equal(by_held[0], -1);
	held_unref(wider);
	held_unref(other);
	finish();
}

static void an_old_generation_is_not_waited_for_either(void **state)
{
	(void)state;
	start("TERM:30s KILL", "stream");
	program_restart(web, NULL);
	fake_loop_settle(loop);
	for (int i = 0; i < WORKERS; i++)
		prove_all();
	assert_int_equal(web->current->number, 2);
	processes[0]->let_go = true;
	pass(3000);
	assert_true(got(0, SIGKILL));
	assert_false(got(1, SIGKILL));
	list_each(m, &web->current->members, struct member, node)
		assert_int_equal(m->worker.state, WORKER_SERVING);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_gets_its_next_rung_a_second_later),
		cmocka_unit_test(one_with_a_connection_is_waited_for),
		cmocka_unit_test(one_that_has_the_listener_is_waited_for),
		cmocka_unit_test(one_that_is_empty_for_a_moment_only_is_waited_for),
		cmocka_unit_test(one_that_cannot_be_seen_is_waited_for),
		cmocka_unit_test(one_with_datagrams_is_waited_for),
		cmocka_unit_test(one_that_asks_for_time_has_it),
		cmocka_unit_test(one_that_leaves_by_itself_is_waited_for),
		cmocka_unit_test(the_number_is_told_when_it_is_another_once_a_second_at_most),
		cmocka_unit_test(nothing_is_counted_while_nothing_drains),
		cmocka_unit_test(the_last_one_that_is_killed_ends_the_counting),
		cmocka_unit_test(a_system_that_cannot_count_is_not_asked_again),
		cmocka_unit_test(connections_of_a_socket_that_is_bound_anew_are_found),
		cmocka_unit_test(an_old_generation_is_not_waited_for_either),
	};
	int failed;

	(void)snprintf(home, sizeof(home), "%s/holdport-drain-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(home))
		return 1;
	log_to(hear, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(home);
	return failed;
}
