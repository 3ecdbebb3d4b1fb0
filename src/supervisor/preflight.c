#include "supervisor/preflight.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "base/str.h"
#include "process/worker.h"

enum { WORDS_MOST = 400 };

/* "holdport 0.2.0", on a line of its own. */
#define ANSWER "holdport "

static void lie_down(struct preflight *p)
{
	loop_child_stop(&p->child);
	loop_timer_stop(&p->patience);
	fd_close(&p->report);
	fd_close(&p->said);
	p->loop = NULL;
}

/* All on one line. */
static void read_words(int fd, struct str *ret)
{
	char words[WORDS_MOST];
	ssize_t n = read(fd, words, sizeof(words));

	while (n > 0 && isspace((unsigned char)words[n - 1]))
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (words[i] == '\n')
			words[i] = ' ';
	str_add_escaped(ret, words, n > 0 ? (size_t)n : 0);
}

static bool is_answer(const struct str *said)
{
	return strncmp(str_text(said), ANSWER, sizeof(ANSWER) - 1) == 0;
}

static void explain(const struct preflight *p, const struct process_end *end,
		    const struct str *said, struct str *why)
{
	struct spawn_report report;
	char how[WORKER_END_SIZE];

	if (p->late)
		str_add(why, "it does not answer whether it understands what runs");
	else if (platform_spawn_verdict(p->report, &report) == VERDICT_FAILED)
		str_addf(why, "it cannot be executed (%s: %s)", report.step, strerror(report.why));
	else if (is_answer(said) || !said->length)
		str_addf(why, "asked whether it understands what runs it ended with %s",
			 worker_end_text(end, how));
	else
		str_addf(why, "it says: %s", str_text(said));
}

/* What it left behind in its group goes with it. */
static void on_end(struct loop_child *c)
{
	struct preflight *p = OWNER(c, struct preflight, child);
	struct process_end end = { .code = 255 };
	struct str said = { 0 }, why = { 0 };

	if (platform_peek(&p->process, &end) >= 0)
		(void)platform_signal_group(&p->process, SIGKILL);
	loop_child_stop(&p->child);
	platform_reap(&p->process);
	read_words(p->said, &said);
	if (end.code || end.signal || !is_answer(&said))
		explain(p, &end, &said, &why);
	lie_down(p);
	p->told(p, why.length ? str_text(&why) : NULL);
	str_fini(&said);
	str_fini(&why);
}

static void on_late(struct loop_timer *t)
{
	struct preflight *p = OWNER(t, struct preflight, patience);

	p->late = true;
	(void)platform_signal_group(&p->process, SIGKILL);
}

static int spawn(struct preflight *p, const struct preflight_spec *spec, int out, struct err *err)
{
	char word[] = PREFLIGHT_WORD, number[] = "3";
	char *argv[] = { spec->name, word, number, NULL };
	int fds[] = { SPAWN_FD_NULL, out, out, spec->state };
	struct spawn s = { .path = spec->name, .file = &spec->image, .argv = argv,
			   .env = spec->env, .fds = fds, .fd_count = COUNT(fds) };

	return platform_spawn(&s, &p->process, &p->report, err);
}

int preflight_start(struct preflight *p, const struct preflight_spec *spec,
		    void (*told)(struct preflight *p, const char *why), struct err *err)
{
	int ends[2], rc;

	*p = (struct preflight){ .process = PROCESS_NONE, .report = -1, .told = told };
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	p->said = ends[0];
	rc = spawn(p, spec, ends[1], err);
	fd_close(&ends[1]);
	if (rc < 0) {
		fd_close(&p->said);
		return -1;
	}
	p->loop = spec->loop;
	loop_child_start(p->loop, &p->child, &p->process, on_end);
	loop_timer_start(p->loop, &p->patience, spec->patience, on_late);
	return 0;
}

void preflight_stop(struct preflight *p)
{
	if (!p->loop)
		return;
	(void)platform_signal_group(&p->process, SIGKILL);
	platform_reap(&p->process);
	lie_down(p);
}
