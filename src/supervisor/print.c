#include "supervisor/print.h"

#include <string.h>

#include "base/owner.h"
#include "config/settings.h"
#include "process/worker_state.h"
#include "rollout/generation_state.h"
#include "rollout/program_state.h"
#include "socket/held_state.h"

/* A state machine, whatever its arrows are made of. */
struct machine {
	const char *title, *source;
	const char *const *states, *const *events;
	int state_count, event_count;
	int first;
	int (*arrow)(int from, int event);	/* -1: no use for the event */
};

#define X(name, word) word,
static const char *const held_states[] = { HELD_STATES(X) };
static const char *const held_events[] = { HELD_EVENTS(X) };
static const char *const worker_states[] = { WORKER_STATES(X) };
static const char *const worker_events[] = { WORKER_EVENTS(X) };
static const char *const generation_states[] = { GENERATION_STATES(X) };
static const char *const generation_events[] = { GENERATION_EVENTS(X) };
static const char *const program_states[] = { PROGRAM_STATES(X) };
static const char *const program_events[] = { PROGRAM_EVENTS(X) };
#undef X

static int of_held(int from, int event)
{
	const struct held_arrow *a = held_arrow((enum held_state)from, (enum held_event)event);

	return a->act == HELD_NOTHING ? -1 : (int)a->to;
}

static int of_worker(int from, int event)
{
	const struct worker_arrow *a =
		worker_arrow((enum worker_state)from, (enum worker_event)event);

	return a->act == WORKER_NOTHING ? -1 : (int)a->to;
}

static int of_generation(int from, int event)
{
	const struct generation_arrow *a =
		generation_arrow((enum generation_state)from, (enum generation_event)event);

	return a->act == GENERATION_NOTHING ? -1 : (int)a->to;
}

static int of_program(int from, int event)
{
	enum program_state to =
		program_arrow((enum program_state)from, (enum program_event)event);

	return to == PROGRAM_STATE_COUNT ? -1 : (int)to;
}

#define WORDS(which)                                                       \
	.states = which##_states, .state_count = COUNT(which##_states),    \
	.events = which##_events, .event_count = COUNT(which##_events),    \
	.arrow = of_##which

static const struct machine machines[] = {
	{ "A held socket", "src/socket/held_state.h", WORDS(held), .first = HELD_NEW },
	{ "A worker", "src/process/worker_state.h", WORDS(worker), .first = WORKER_STARTING },
	{ "A generation", "src/rollout/generation_state.h", WORDS(generation),
	  .first = GENERATION_STARTING },
	{ "A program", "src/rollout/program_state.h", WORDS(program),
	  .first = PROGRAM_STOPPED },
};

/* One line for all events that lead from here to there. */
static void print_arrows(const struct machine *m, int from, int to, FILE *out)
{
	const char *before = NULL;

	for (int e = 0; e < m->event_count; e++) {
		if (m->arrow(from, e) != to)
			continue;
		if (!before)
			(void)fprintf(out, "    %s --> %s: ", m->states[from], m->states[to]);
		(void)fprintf(out, "%s%s", before ? before : "", m->events[e]);
		before = ", ";
	}
	if (before)
		(void)fputc('\n', out);
}

static bool is_last(const struct machine *m, int state)
{
	for (int e = 0; e < m->event_count; e++)
		if (m->arrow(state, e) >= 0)
			return false;
	return true;
}

static void print_diagram(const struct machine *m, FILE *out)
{
	(void)fprintf(out, "```mermaid\nstateDiagram-v2\n    [*] --> %s\n", m->states[m->first]);
	for (int from = 0; from < m->state_count; from++) {
		for (int to = 0; to < m->state_count; to++)
			print_arrows(m, from, to, out);
		if (is_last(m, from))
			(void)fprintf(out, "    %s --> [*]\n", m->states[from]);
	}
	(void)fputs("```\n", out);
}

/* Events down, states across. */
static void print_table(const struct machine *m, FILE *out)
{
	(void)fputs("| event |", out);
	for (int s = 0; s < m->state_count; s++)
		(void)fprintf(out, " in %s |", m->states[s]);
	(void)fputs("\n|---|", out);
	for (int s = 0; s < m->state_count; s++)
		(void)fputs("---|", out);
	for (int e = 0; e < m->event_count; e++) {
		(void)fprintf(out, "\n| %s |", m->events[e]);
		for (int s = 0; s < m->state_count; s++) {
			int to = m->arrow(s, e);

			(void)fprintf(out, " %s |", to >= 0 ? m->states[to] : "");
		}
	}
	(void)fputs("\n\n", out);
}

static void print_states(FILE *out)
{
	(void)fputs("# State machines\n\nPrinted by `holdportd --print states` from the tables "
		    "that the program runs by.\nA cell is the state that follows; an empty one "
		    "is an event that the state has no\nuse for. What the words mean stands "
		    "beside them in the named file.\n", out);
	for (size_t i = 0; i < COUNT(machines); i++) {
		(void)fprintf(out, "\n## %s\n\n`%s`\n\n", machines[i].title, machines[i].source);
		print_table(&machines[i], out);
		print_diagram(&machines[i], out);
	}
}

static void print_reference(FILE *out)
{
	(void)fputs("# Every option\n\nPrinted by `holdportd --print reference`; the text is that "
		    "of `holdport config --reference`.\nHow files are read: "
		    "[configuration.md](configuration.md).\n\n```text\n", out);
	settings_print_reference(out);
	(void)fputs("```\n", out);
}

static const struct {
	const char *word;
	void (*print)(FILE *out);
} texts[] = {
	{ "example", settings_print_example },
	{ "reference", print_reference },
	{ "states", print_states },
	{ "options-mdoc", settings_print_mdoc },
};

bool print_text(const char *word, FILE *out)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(word, texts[i].word) == 0) {
			texts[i].print(out);
			return true;
		}
	return false;
}

void print_words(FILE *out)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		(void)fprintf(out, "%s%s", i ? ", " : "", texts[i].word);
}
