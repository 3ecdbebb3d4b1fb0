/* drain: wait until an address can be bound; for scripts. */
#include <unistd.h>

#include "base/clock.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/trial_text.h"

#define SHOW_EVERY_MS 500

struct shown {
	const struct request *request;
	int64_t begun;
	bool live;
};

static void add_time(const struct shown *s, struct str *line)
{
	int64_t spent = clock_monotonic_ms() - s->begun, left = s->request->timeout - spent;

	if (s->request->timeout >= 0)
		str_addf(line, "; %llds left", (long long)(left > 0 ? (left + 999) / 1000 : 0));
	str_addf(line, "… %llds", (long long)(spent / 1000));
}

/* On a terminal one line that is rewritten; elsewhere one for each other reason. */
static void show(const struct trial *t, void *ctx)
{
	const struct shown *s = ctx;
	struct str line = { 0 };

	if (s->live) {
		trial_line(t, &line);
		add_time(s, &line);
		progress_cut(&line);
		(void)fprintf(stderr, "\r%s\033[K", str_text(&line));
	} else {
		trial_lines(t, &line);
		(void)fputs(str_text(&line), stderr);
	}
	(void)fflush(stderr);
	str_fini(&line);
}

static int tell(const struct request *r, const struct wait_for *w, enum waited outcome,
		const struct err *err)
{
	static const int codes[] = {
		[WAITED_FREE] = OUTCOME_DONE, [WAITED_TIMEOUT] = OUTCOME_TIMED_OUT,
		[WAITED_FORBIDDEN] = OUTCOME_NOT_PERMITTED, [WAITED_FAILED] = OUTCOME_FAILED,
	};
	struct str text = { 0 };

	if (outcome != WAITED_FREE)
		return complain(codes[outcome], "%s", err->text);
	if (w->ended)
		str_addf(&text, "ended %d connection%s%s\n", w->ended, w->ended == 1 ? "" : "s",
			 w->served ? "" : " that nobody served");
	str_addf(&text, "%s can be bound\n", r->names[0]);
	(void)output_now(&text);
	str_fini(&text);
	return OUTCOME_DONE;
}

int cmd_drain(struct request *r)
{
	struct shown shown = { .request = r, .begun = clock_monotonic_ms(),
			       .live = isatty(STDERR_FILENO) };
	struct wait_for w = { .timeout = r->timeout, .reset = option_given(r, OPTION_RESET),
			      .served = option_given(r, OPTION_SERVED),
			      .show_every = shown.live ? SHOW_EVERY_MS : 0, .show = show,
			      .ctx = &shown };
	struct err err = { 0 };
	enum waited outcome;
	int code = trial_request(r, &w.key);

	if (code)
		return code;
	if (w.served && !w.reset)
		return complain(OUTCOME_USAGE, "drain: --served says what --reset ends");
	outcome = trial_wait(&w, &err);
	if (shown.live)
		(void)fputs("\r\033[K", stderr);
	return tell(r, &w, outcome, &err);
}
