#include "process/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/signal_name.h"

enum {
	LOOK_AGAIN_MS = 100,
	ASK_AGAIN_MS = 5000,	/* a parent that has not answered */
	LOOKS_MOST = 50,	/* for the end of one whose parent is a stranger */
	EXTENDED_TIMES = 10,
	ASKED = 2,		/* its parent was asked how it ended */
};

static void release(struct worker *w, unsigned what)
{
	if (what & WORKER_HOLDS_REPORT) {
		loop_io_close(&w->report, &w->report_fd);
		launch_place_fini(&w->place);
	}
	if (what & WORKER_HOLDS_DEADLINE) {
		loop_timer_stop(&w->deadline);
		w->patience_ends = w->patience_most = 0;
	}
	if (what & WORKER_HOLDS_CHILD) {
		loop_child_stop(&w->child);
		loop_timer_stop(&w->look_again);
	}
	w->held &= ~what;
}

static void on_deadline(struct loop_timer *t)
{
	struct worker *w = OWNER(t, struct worker, deadline);

	worker_on(w, w->state == WORKER_STARTING ? WORKER_EV_LATE : WORKER_EV_DEADLINE);
}

static void wait_at_most(struct worker *w, int64_t ms)
{
	w->held |= WORKER_HOLDS_DEADLINE;
	w->extended = 0;
	w->patience_ends = loop_now(w->loop) + ms;
	w->patience_most = loop_now(w->loop) + EXTENDED_TIMES * ms;
	loop_timer_start(w->loop, &w->deadline, ms, on_deadline);
}

void worker_extend(struct worker *w, int64_t ms)
{
	int64_t now = loop_now(w->loop), until = now + ms;

	if (until > w->patience_most)
		until = w->patience_most;
	if (!(w->held & WORKER_HOLDS_DEADLINE))
		return;
	w->extended = until;
	if (until <= w->patience_ends)
		return;
	w->patience_ends = until;
	loop_timer_start(w->loop, &w->deadline, until - now, on_deadline);
}

int64_t worker_time_left(const struct worker *w)
{
	int64_t left;

	if (!(w->held & WORKER_HOLDS_DEADLINE))
		return -1;
	left = w->patience_ends - loop_now(w->loop);
	for (size_t i = w->rung + 1; i + 1 < w->settings->ladder_length; i++)
		left += w->settings->ladder[i].patience;
	return left > 0 ? left : 0;
}

static void hear_verdict(struct worker *w)
{
	struct spawn_report report;
	enum verdict v = platform_spawn_verdict(w->report_fd, &report);

	if (v == VERDICT_FILTERED) {
		w->listener = report.listener;
		w->unfiltered = false;
		w->told(w, WORKER_NEWS_FILTERED);
		v = platform_spawn_verdict(w->report_fd, &report);
	}
	if (v == VERDICT_PENDING)
		return;
	if (v == VERDICT_FAILED && !w->reason) {
		struct err err = { 0 };

		launch_explain(&w->place, w->settings, report.why, report.step, &err);
		w->reason = mem_text(err.text);
	}
	release(w, WORKER_HOLDS_REPORT);
}

static void on_report(struct loop_io *io, int events)
{
	(void)events;
	hear_verdict(OWNER(io, struct worker, report));
}

static void on_look_again(struct loop_timer *t);
static void on_child(struct loop_child *c);

/* Its status is gone, and with it the proof that its number is still ours. */
static void lost_status(struct worker *w)
{
	log_error("%s: process %ld ended, and somebody else took its exit status", w->name,
		  (long)w->pid);
	w->end = (struct process_end){ .code = WORKER_END_UNKNOWN };
}

/* The process that we started has ended, the one that it named has not.  The
 * first stays a zombie until the end: its group keeps its number. */
static bool lives_on(struct worker *w)
{
	if (w->followed || !w->main.pid || platform_has_ended(&w->main))
		return false;
	w->followed = true;
	log_info("%s: process %ld ended; its main process %ld goes on", w->name,
		 (long)w->process.pid, (long)w->main.pid);
	loop_child_start(w->loop, &w->child, &w->main, on_child);
	return true;
}

/* Not our child: its parent knows, or the kernel once that has taken it away. */
static int look_at_fostered(struct worker *w)
{
	int known;

	if (w->process.pid <= 0)
		return -1;
	if (!w->foster)
		return platform_peek(&w->process, &w->end);
	if (w->ended == 0) {
		/* Before it is asked: the answer may come at once, and be the end of w. */
		loop_timer_start(w->loop, &w->look_again, ASK_AGAIN_MS, on_look_again);
		w->foster->peek(w->foster, w->process.pid);
		return ASKED;
	}
	if (w->ended > 0)
		return 1;
	known = platform_end_of_stranger(&w->process, &w->end);
	return known == 0 && ++w->looks > LOOKS_MOST ? -1 : known;
}

static int look_at_end(struct worker *w)
{
	if (!w->followed)
		return w->adopted ? look_at_fostered(w) : platform_peek(&w->process, &w->end);
	log_info("%s: main process %ld ended; it was not our child, so its exit status is not "
		 "known and counts as 255", w->name, (long)w->main.pid);
	w->end = (struct process_end){ .code = WORKER_END_UNKNOWN };
	return 1;
}

/* Not of one that we do not know to be a zombie still: its number may be another's. */
static void signal_rest(struct worker *w)
{
	bool is_there = !w->adopted || !w->foster || w->ended > 0;

	if (is_there && w->settings->kill_mode != KILL_PROCESS)
		(void)platform_signal_group(&w->process, SIGKILL);
}

static void reap(struct worker *w)
{
	if (w->adopted && w->foster && w->process.pid > 0) {
		w->foster->reap(w->foster, w->process.pid);
		fd_close(&w->process.handle);
		w->process = PROCESS_NONE;
	} else if (w->process.pid > 0) {
		platform_reap(&w->process);
	}
}

static void hear_end(struct worker *w)
{
	int ended = look_at_end(w);

	if (ended == ASKED)
		return;
	if (ended == 0) {
		/* Its handle says so, its parent cannot take it yet: a debugger holds it. */
		loop_timer_start(w->loop, &w->look_again, LOOK_AGAIN_MS, on_look_again);
		return;
	}
	if (w->held & WORKER_HOLDS_REPORT)
		hear_verdict(w);
	w->told(w, WORKER_NEWS_ENDING);
	if (lives_on(w))
		return;
	if (ended < 0)
		lost_status(w);
	else
		signal_rest(w);
	reap(w);
	fd_close(&w->main.handle);
	worker_on(w, WORKER_EV_EXITED);
}

static void on_look_again(struct loop_timer *t)
{
	hear_end(OWNER(t, struct worker, look_again));
}

/* The main process has ended and is not reaped yet. */
static void on_child(struct loop_child *c)
{
	hear_end(OWNER(c, struct worker, child));
}

int worker_start(struct worker *w, struct launch *launch, struct err *err)
{
	w->state = WORKER_STARTING;
	w->report_fd = w->listener = w->gate = -1;
	w->process = w->main = PROCESS_NONE;
	launch->spawn.ret_gate = w->gated ? &w->gate : NULL;
	if (platform_spawn(&launch->spawn, &w->process, &w->report_fd, err) < 0) {
		launch_fini(launch);
		w->state = WORKER_GONE;
		return -1;
	}
	w->unfiltered = launch->spawn.filter;
	w->place = launch_forked(launch);
	w->pid = w->process.pid;
	w->born = platform_process_born(w->pid);
	w->id = platform_process_id(&w->process);
	w->started = time(NULL);
	w->held = WORKER_HOLDS_REPORT | WORKER_HOLDS_CHILD;
	loop_io_start(w->loop, &w->report, w->report_fd, LOOP_READ, on_report);
	loop_child_start(w->loop, &w->child, &w->process, on_child);
	wait_at_most(w, w->settings->start_timeout);
	return 0;
}

void worker_release(struct worker *w)
{
	if (!w->gated || w->gate < 0 || w->unfiltered)
		return;
	(void)!write(w->gate, "", 1);
	fd_close(&w->gate);
}

void worker_remember(const struct worker *w, struct worker_memory *ret)
{
	*ret = (struct worker_memory){
		.pid = w->adopted ? w->started_as : w->process.pid, .born = w->born, .id = w->id,
		.main_pid = w->main.pid, .main_born = w->main_born, .followed = w->followed, .proved = w->proved,
		.asked = w->asked, .state = w->state, .rung = w->rung,
		.patience_ends = w->patience_ends, .patience_most = w->patience_most,
		.started = w->started, .reason = w->reason,
	};
}

static void take_processes(struct worker *w, const struct worker_memory *m)
{
	w->process = w->main = PROCESS_NONE;
	if (platform_process_known(m->pid, m->id, &w->process) < 0 &&
	    platform_process_find(m->pid, m->born, &w->process) < 0)
		w->process = PROCESS_NONE;
	if (!m->main_pid)
		return;
	if (platform_process_find(m->main_pid, m->main_born, &w->main) < 0)
		w->main = (struct process){ .pid = m->main_pid, .handle = -1 };
	w->main_born = m->main_born;
}

/* Its end is seen like any other; one that is not there any more has none. */
static void watch_adopted(struct worker *w, bool followed)
{
	const struct process *p = followed && w->main.pid ? &w->main : &w->process;

	w->followed = followed && w->main.pid;
	w->held = WORKER_HOLDS_CHILD;
	if (w->process.pid > 0 && (p == &w->process || p->handle >= 0))
		loop_child_start(w->loop, &w->child, p, on_child);
	else
		loop_timer_start(w->loop, &w->look_again, 0, on_look_again);
}

void worker_adopt(struct worker *w, const struct worker_memory *m)
{
	int64_t now = loop_now(w->loop);

	w->adopted = true;
	w->started_as = m->pid;
	w->report_fd = w->gate = -1;
	w->born = m->born;
	w->id = m->id;
	w->pid = m->main_pid ? m->main_pid : m->pid;
	w->state = m->state;
	w->proved = m->proved;
	w->asked = m->asked;
	w->rung = m->rung;
	w->started = m->started;
	w->reason = mem_text(m->reason);
	take_processes(w, m);
	/* An image before ours, in this process, was its parent: so are we. */
	if (w->foster && platform_peek(&w->process, &w->end) >= 0)
		w->adopted = false;
	else if (w->foster && w->process.pid > 0)
		w->foster->adopt(w->foster, w->process.pid);
	watch_adopted(w, m->followed);
	if (!m->patience_ends || !(worker_may_hold(w->state) & WORKER_HOLDS_DEADLINE))
		return;
	w->held |= WORKER_HOLDS_DEADLINE;
	w->patience_ends = m->patience_ends;
	w->patience_most = m->patience_most;
	loop_timer_start(w->loop, &w->deadline, m->patience_ends - now, on_deadline);
}

void worker_ended(struct worker *w, int ended, const struct process_end *end)
{
	if (!w->adopted || w->ended || w->state == WORKER_GONE)
		return;
	if (ended == 0) {
		loop_timer_start(w->loop, &w->look_again, LOOK_AGAIN_MS, on_look_again);
		return;
	}
	w->ended = ended;
	if (ended > 0)
		w->end = *end;
	hear_end(w);
}

static const struct process *main_process(const struct worker *w)
{
	return w->main.pid && !platform_has_ended(&w->main) ? &w->main : &w->process;
}

int worker_signal(struct worker *w, int number)
{
	return platform_signal(main_process(w), number);
}

void worker_follow(struct worker *w, struct process *main)
{
	if (w->followed)
		loop_child_stop(&w->child);
	fd_close(&w->main.handle);
	w->main = main ? *main : PROCESS_NONE;
	w->main_born = main ? platform_process_born(main->pid) : 0;
	w->pid = main ? main->pid : w->process.pid;
	if (w->followed)
		loop_child_start(w->loop, &w->child, main ? &w->main : &w->process, on_child);
	w->followed = w->followed && main;
}

/* Its main process may have left the group. */
static int signal_all(struct worker *w, int number)
{
	int rc = platform_signal_group(&w->process, number);

	return w->main.pid && worker_signal(w, number) == 0 ? 0 : rc;
}

static void send_rung(struct worker *w)
{
	const struct rung *r = &w->settings->ladder[w->rung];
	bool last = w->rung + 1 == w->settings->ladder_length;
	bool group = w->settings->kill_mode == KILL_GROUP ||
		     (w->settings->kill_mode == KILL_MIXED && last);
	int rc = group ? signal_all(w, r->signal) : worker_signal(w, r->signal);

	if (rc < 0 && errno != ESRCH)
		log_warning("%s: cannot send %s to %ld: errno %d", w->name,
			    signal_name(r->signal), (long)w->pid, errno);
	if (!last)
		wait_at_most(w, r->patience);
}

static void serve(struct worker *w)
{
	w->proved = true;
}

/* A rung may be the last one: then the state says so before it is sent. */
static void climb(struct worker *w, unsigned rung)
{
	w->asked = true;
	if (rung + 1 >= w->settings->ladder_length) {
		worker_on(w, WORKER_EV_KILL);
		return;
	}
	w->rung = rung;
	send_rung(w);
}

/* It needs no signal, but gets no more time than one that was asked. */
static void let_leave(struct worker *w)
{
	if (w->settings->ladder_length < 2) {
		worker_on(w, WORKER_EV_KILL);
		return;
	}
	w->rung = 0;
	wait_at_most(w, w->settings->ladder[0].patience);
}

static void first_rung(struct worker *w)
{
	climb(w, 0);
}

static void next_rung(struct worker *w)
{
	climb(w, w->rung + 1);
}

static void last_rung(struct worker *w)
{
	w->asked = true;
	w->rung = (unsigned)w->settings->ladder_length - 1;
	send_rung(w);
}

static void bury(struct worker *w)
{
	(void)w;	/* on_child() has reaped it; the owner is told below */
}

/* Late is not asked: it is a failure of its own, with a sentence of its own. */
static void note_late(struct worker *w)
{
	char text[CLOCK_DURATION_SIZE];

	if (!w->reason)
		w->reason = mem_format("was not ready within %s (start_timeout)",
				       clock_duration(w->settings->start_timeout, text));
}

void worker_on(struct worker *w, enum worker_event event)
{
	static void (*const acts[])(struct worker *w) = {
		[WORKER_SERVE] = serve,		  [WORKER_LET_LEAVE] = let_leave,
		[WORKER_FIRST_RUNG] = first_rung, [WORKER_NEXT_RUNG] = next_rung,
		[WORKER_LAST_RUNG] = last_rung,	  [WORKER_BURY] = bury,
	};
	const struct worker_arrow *a = worker_arrow(w->state, event);
	enum worker_state was = w->state;

	if (a->act == WORKER_NOTHING)
		return;
	if (event == WORKER_EV_LATE)
		note_late(w);
	w->state = a->to;
	release(w, w->held & ~worker_may_hold(w->state));
	acts[a->act](w);
	if (w->state == a->to && w->state != was)
		w->told(w, w->state == WORKER_GONE ? WORKER_NEWS_GONE : WORKER_NEWS_STATE);
}

void worker_fini(struct worker *w)
{
	release(w, w->held);
	fd_close(&w->gate);
	if (w->adopted)
		fd_close(&w->process.handle);
	if (w->main.pid)
		fd_close(&w->main.handle);
	fd_close(&w->listener);
	free(w->reason);
	w->reason = NULL;
}

const char *worker_end_text(const struct process_end *end, char buf[WORKER_END_SIZE])
{
	if (end->signal)
		(void)snprintf(buf, WORKER_END_SIZE, "signal %d (%s%s)", end->signal,
			       signal_name(end->signal), end->core ? ", core dumped" : "");
	else
		(void)snprintf(buf, WORKER_END_SIZE, "exit status %d", end->code);
	return buf;
}
