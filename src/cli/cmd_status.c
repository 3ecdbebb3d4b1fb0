/* status: one answer, or one after every change. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/status_text.h"

/* Events come in bursts; a status after the last of one tells of all. */
enum { BURST = 100 /* ms */, LATEST = 500 /* … however long the burst */ };

struct watch {
	const struct request *r;
	struct session events;		/* says that something changed */
	struct session status;		/* says what it is now */
	struct str shown;
	int64_t shown_at;		/* monotonic ms */
	int code;
};

static void render(const struct request *r, const json_t *status, struct str *out)
{
	if (!option_given(r, OPTION_JSON)) {
		status_text(status, time(NULL), r->color, out);
		return;
	}
	str_add_dump(out, status, option_given(r, OPTION_WATCH) ? JSON_COMPACT : JSON_INDENT(2));
	str_add(out, "\n");
}

/* *out is empty when it fails. */
static int look(struct session *s, struct str *out)
{
	json_t *status;
	struct client_call call = status_call(s->request->name_count ? names_of(s->request) : NULL,
					      &status);
	int code = session_call(s, &call);

	if (!code) {
		render(s->request, status, out);
		code = status_outcome(status);
	}
	json_decref(status);
	return code;
}

static bool show(struct watch *w)
{
	struct str text = { 0 }, page = { 0 };
	bool same;

	/* Connected anew: nothing may have changed for longer than the supervisor waits
	 * for a question. */
	client_close(&w->status.client);
	w->code = session_connect(&w->status);
	if (!w->code)
		w->code = look(&w->status, &text);
	same = text.length == w->shown.length && strcmp(str_text(&text), str_text(&w->shown)) == 0;
	if (text.length && !same) {
		if (isatty(STDOUT_FILENO) && !option_given(w->r, OPTION_JSON))
			str_add(&page, "\033[H\033[J");
		str_add_n(&page, text.data, text.length);
		(void)output_now(&page);
	}
	str_fini(&page);
	str_fini(&w->shown);
	w->shown = text;
	w->shown_at = clock_monotonic_ms();
	return text.length && !ferror(stdout);
}

static bool on_event(const json_t *parameters, void *ctx)
{
	struct watch *w = ctx;
	bool due = clock_monotonic_ms() - w->shown_at >= LATEST;

	(void)parameters;
	if (!due && client_has_more(&w->events.client, BURST))
		return true;
	return show(w);
}

static int watch(struct watch *w)
{
	struct client_call call = {
		.method = "Events",
		.again = true,
		.parameters = json_pack("{s:b}", "follow", 1),
		.more = true,
		.on_reply = on_event,
		.ctx = w,
	};
	int code;

	if (!show(w)) {
		json_decref(call.parameters);
		return w->code;
	}
	code = session_call(&w->events, &call);
	return code ? code : w->code;
}

static int watch_status(const struct request *r)
{
	struct watch w = { .r = r };
	int code = session_open(&w.events, r);

	if (!code) {
		code = session_open(&w.status, r);
		code = code ? code : watch(&w);
		session_close(&w.status);
	}
	session_close(&w.events);
	str_fini(&w.shown);
	return code;
}

int cmd_status(struct request *r)
{
	struct session s;
	struct str text = { 0 };
	int code;

	if (option_given(r, OPTION_WATCH))
		return watch_status(r);
	code = session_open(&s, r);
	if (!code)
		code = look(&s, &text);
	if (text.length)
		(void)output_now(&text);
	str_fini(&text);
	session_close(&s);
	return code;
}
