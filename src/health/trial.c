#include "health/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/str.h"
#include "process/question.h"
#include "process/worker.h"

enum { SAID_MOST = 200 };
enum { PAUSE_FIRST_MS = 50, PAUSE_MOST_MS = 2000 };	/* between two runs; doubled */

static void run(struct trial *t);

static void trial_free(struct trial *t)
{
	loop_timer_stop(&t->again);
	loop_child_stop(&t->child);
	fd_close(&t->report);
	for (int i = 0; i < TRIAL_FDS; i++)
		fd_close(&t->spec.fds[i]);
	launch_fini(&t->launch);
	list_remove(&t->node);
	free(t);
}

static void on_again(struct loop_timer *timer)
{
	run(OWNER(timer, struct trial, again));
}

static void failed(struct trial *t, const char *text)
{
	loop_timer_start(t->spec.loop, &t->again, t->pause, on_again);
	t->pause = t->pause * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : t->pause * 2;
	t->spec.failed(t, text);
}

/* As far as it is printable. */
static void first_line(const char *bytes, size_t length, struct str *out)
{
	for (size_t i = 0; i < length && bytes[i] != '\n'; i++)
		str_add_n(out, bytes[i] >= ' ' && bytes[i] <= '~' ? bytes + i : "?", 1);
}

static void add_said(struct trial *t, struct str *out)
{
	char bytes[SAID_MOST];
	ssize_t n = t->spec.fds[0] < 0 ? 0 : read(t->spec.fds[0], bytes, sizeof(bytes));

	first_line(bytes, n > 0 ? (size_t)n : 0, out);
}

static void tell_end(struct trial *t, const struct process_end *end)
{
	char how[WORKER_END_SIZE];
	struct str text = { 0 };
	struct err err;
	struct spawn_report report;

	if (platform_spawn_verdict(t->report, &report) == VERDICT_FAILED) {
		launch_explain(&t->launch.place, t->spec.program, report.why,
			       report.step, &err);
		str_add(&text, err.text);
	} else {
		add_said(t, &text);
		if (!text.length)
			str_addf(&text, "ended with %s", worker_end_text(end, how));
	}
	failed(t, str_text(&text));
	str_fini(&text);
}

/* What it left behind in its group goes with it. */
static void on_end(struct loop_child *c)
{
	struct trial *t = OWNER(c, struct trial, child);
	struct process_end end = { .code = 255 };

	if (platform_peek(&t->process, &end) >= 0)
		(void)platform_signal_group(&t->process, SIGKILL);
	loop_child_stop(&t->child);
	platform_reap(&t->process);
	if (t->stopped)
		trial_free(t);
	else if (!end.code && !end.signal)
		t->spec.passed(t);
	else
		tell_end(t, &end);
}

static void run(struct trial *t)
{
	struct err err;

	fd_close(&t->report);
	if (platform_spawn(&t->launch.spawn, &t->process, &t->report, &err) < 0) {
		failed(t, err.text);
		return;
	}
	loop_child_start(t->spec.loop, &t->child, &t->process, on_end);
}

struct trial *trial_start(const struct trial_spec *spec, struct launch *launch)
{
	struct trial *t = MEM_NEW(struct trial);

	t->spec = *spec;
	t->launch = *launch;
	*launch = (struct launch){ 0 };
	t->process = PROCESS_NONE;
	t->report = -1;
	t->pause = PAUSE_FIRST_MS;
	if (!spec->all->next)
		list_init(spec->all);
	list_append(spec->all, &t->node);
	loop_timer_start(spec->loop, &t->again, 0, on_again);
	return t;
}

struct trial *trial_ask(struct trial_spec *spec, const struct target *to, int connection,
			struct err *err)
{
	struct question q = {
		.program = spec->program, .url = to->url, .via = to->via, .fd = connection,
		.patience = spec->program->health_timeout,
	};
	struct launch launch;

	spec->fds[2] = connection;
	if (pipe2(spec->fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		(void)err_sys(err, errno, "cannot make a pipe");
	} else {
		q.said = spec->fds[1];
		if (question_prepare(&q, &launch, err) == 0)
			return trial_start(spec, &launch);
	}
	for (int i = 0; i < TRIAL_FDS; i++)
		fd_close(&spec->fds[i]);
	return NULL;
}

void trial_stop(struct trial *t)
{
	if (!t)
		return;
	t->stopped = true;
	loop_timer_stop(&t->again);
	if (!t->process.pid)
		trial_free(t);
	else
		(void)platform_signal_group(&t->process, SIGKILL);
}

void trials_end(struct list *all)
{
	if (!all->next)
		return;
	list_each_safe(t, all, struct trial, node) {
		(void)platform_signal_group(&t->process, SIGKILL);
		platform_reap(&t->process);
		trial_free(t);
	}
}
