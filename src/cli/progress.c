#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/owner.h"
#include "cli/event_text.h"
#include "cli/options.h"
#include "cli/output.h"

enum { DRAW_EVERY = 100 /* ms */, PROGRAMS_SHOWN = 3 };

static bool settled(const json_t *program)
{
	static const char *const states[] = { "running", "stopped", "failed" };
	const char *state = json_text(program, "state");

	for (size_t i = 0; state && i < COUNT(states); i++)
		if (strcmp(state, states[i]) == 0)
			return true;
	return false;
}

/* state NULL: workers of every state. */
static size_t workers_in(const json_t *generation, const char *state)
{
	const json_t *worker;
	size_t i, count = 0;

	json_array_foreach(json_object_get(generation, "workers"), i, worker) {
		const char *is = json_text(worker, "state");

		count += !state || (is && strcmp(is, state) == 0);
	}
	return count;
}

static void add_stopping(const json_t *generations, struct str *out)
{
	const json_t *generation;
	size_t i, left = 0;

	json_array_foreach((json_t *)generations, i, generation)
		left += workers_in(generation, NULL);
	str_addf(out, "stopping, %zu worker%s left", left, left == 1 ? "" : "s");
}

static void add_program(const json_t *program, struct str *out)
{
	const json_t *generations = json_object_get(program, "generations");
	size_t count = json_array_size(generations);
	const json_t *newest = count ? json_array_get(generations, count - 1) : NULL;
	const char *state = json_text(program, "state");

	str_add_json(out, program, "name");
	str_add(out, ": ");
	if (state && strcmp(state, "stopping") == 0) {
		add_stopping(generations, out);
	} else if (newest) {
		str_addf(out, "generation %lld ", json_number(newest, "number"));
		str_add_json(out, newest, "state");
		str_addf(out, ", %zu/%lld ready", workers_in(newest, "serving"),
			 json_number(program, "workers"));
	} else {
		str_add_json(out, program, "state");
	}
}

void progress_line(const json_t *programs, const struct leaving *leaving, int64_t begun_ms,
		   int64_t now_ms, struct str *out)
{
	const json_t *program;
	size_t i, shown = 0;

	json_array_foreach((json_t *)programs, i, program) {
		if ((settled(program) && !leaving_any(leaving, json_text(program, "name"))) ||
		    shown++ >= PROGRAMS_SHOWN)
			continue;
		str_add(out, shown > 1 ? "; " : "");
		add_program(program, out);
		leaving_add(leaving, json_text(program, "name"), now_ms, out);
	}
	if (shown > PROGRAMS_SHOWN)
		str_addf(out, "; and %zu more", shown - PROGRAMS_SHOWN);
	str_addf(out, "%s… %llds", shown ? "" : "waiting", 
		 (long long)((now_ms - begun_ms) / 1000));
}

/* A line that wraps could not be rewritten. */
void progress_cut(struct str *line)
{
	struct winsize size = { 0 };
	size_t width = 0, most = 79;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		most = size.ws_col - 1u;
	for (size_t i = 0; i < line->length; i++) {
		width += ((unsigned char)line->data[i] & 0xc0) != 0x80;
		if (width > most) {
			line->data[i] = '\0';
			line->length = i;
		}
	}
}

static void look(struct progress *p)
{
	const struct request *r = p->session->request;
	json_t *status;
	struct err err;

	if (!p->stale)
		return;
	p->stale = false;
	/* Connected anew each time: the supervisor does not wait long for questions. */
	if (client_open(&p->client, p->session->runtime_dir, r->timeout, &err) ||
	    status_fetch(&p->client, r->name_count ? names_of(r) : NULL, &status, &err)) {
		client_close(&p->client);
		return;
	}
	client_close(&p->client);
	json_decref(p->programs);
	p->programs = json_incref(json_object_get(status, "programs"));
	json_decref(status);
}

static void draw(struct progress *p)
{
	int64_t now = clock_monotonic_ms();
	struct str line = { 0 };

	look(p);
	p->drawn = now;
	progress_line(p->programs, &p->leaving, p->begun, now, &line);
	progress_cut(&line);
	if (strcmp(str_text(&line), str_text(&p->line)) != 0)
		(void)fprintf(stderr, "\r%s\033[K", str_text(&line));
	str_fini(&p->line);
	p->line = line;
}

void progress_begin(struct progress *p, const struct session *s)
{
	const struct request *r = s->request;

	*p = (struct progress){ .session = s, .client.fd = -1, .stale = true };
	p->begun = clock_monotonic_ms();
	p->live = isatty(STDERR_FILENO) && !option_given(r, OPTION_NO_WAIT);
	p->quiet = !p->live && option_given(r, OPTION_JSON);
}

static bool is(const json_t *event, const char *key, const char *word)
{
	const char *text = json_text(event, key);

	return text && strcmp(text, word) == 0;
}

static bool matters(const struct progress *p, const json_t *event)
{
	if (is(event, "state", "failed") || is(event, "state", "backoff"))
		return true;
	if (p->live)
		return false;
	return !is(event, "what", "worker") || json_text(event, "text");
}

void progress_event(struct progress *p, const json_t *event)
{
	struct str line = { 0 };

	leaving_event(&p->leaving, event, clock_monotonic_ms());
	p->stale = true;
	if (!p->quiet && matters(p, event)) {
		if (!leaving_sentence(event, &line))
			event_sentence(event, &line);
		progress_wipe(p);
		(void)fprintf(stderr, "%s\n", str_text(&line));
		str_fini(&line);
	}
	if (p->live && clock_monotonic_ms() - p->drawn >= DRAW_EVERY)
		draw(p);
}

void progress_tick(struct progress *p)
{
	if (p->live)
		draw(p);
}

void progress_wipe(struct progress *p)
{
	if (p->line.length)
		(void)fputs("\r\033[K", stderr);
	str_clear(&p->line);
	p->drawn = 0;
}

void progress_end(struct progress *p)
{
	progress_wipe(p);
	client_close(&p->client);
	str_fini(&p->line);
	leaving_fini(&p->leaving);
	json_decref(p->programs);
	p->programs = NULL;
}
