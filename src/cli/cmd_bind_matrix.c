/* bind-matrix: what this system does with a second bind, found out by doing it. */
#include <signal.h>
#include <unistd.h>

#include "cli/matrix_text.h"
#include "cli/options.h"
#include "cli/output.h"

/* Connections in the middle of the experiment are taken away before we go. */
static volatile sig_atomic_t stopped_by;

static void on_signal(int number)
{
	stopped_by = number;
}

static void listen_to_signals(bool yes)
{
	struct sigaction act = { .sa_handler = yes ? on_signal : SIG_DFL };

	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
}

static bool on_progress(enum matrix_state state, const struct matrix_socket *first, size_t done,
			size_t all, void *ctx)
{
	const bool *live = ctx;

	if (*live)
		(void)fprintf(stderr, "\r%s %s… %zu%%\033[K",
			      matrix_family_word(first->kind, first->kind),
			      matrix_state_word(state), 100 * done / all);
	return !stopped_by;
}

static json_t *cell_json(const struct matrix_cell *c)
{
	char buf[MATRIX_RESULT_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}",
			 "family", matrix_family_word(c->first.kind, c->second.kind),
			 "state", matrix_state_word(c->state),
			 "first", matrix_options_word(c->first.options),
			 "second", matrix_options_word(c->second.options),
			 "first_address", matrix_address_word(c->first.address),
			 "second_address", matrix_address_word(c->second.address),
			 "result", matrix_result_word(c->result, buf),
			 "reason", c->reason);
}

/* A line for each cell. */
static void matrix_json(const struct matrix *m, struct str *out)
{
	const char *before = "[\n";
	struct matrix_cell c;

	for (size_t at = 0; matrix_next(m, &at, &c);) {
		json_t *cell = cell_json(&c);

		str_add(out, before);
		str_add_dump(out, cell, 0);
		json_decref(cell);
		before = ",\n";
	}
	str_add(out, "\n]\n");
}

int cmd_bind_matrix(struct request *r)
{
	bool live = isatty(STDERR_FILENO);
	struct str text = { 0 };
	struct matrix *m;

	listen_to_signals(true);
	m = matrix_run(on_progress, &live);
	listen_to_signals(false);
	if (live)
		(void)fputs("\r\033[K", stderr);
	if (stopped_by)
		(void)raise(stopped_by);
	if (matrix_left_behind(m))
		(void)complain(0, "%zu connections could not be taken away again; they end within "
			       "a minute", matrix_left_behind(m));
	if (option_given(r, OPTION_JSON))
		matrix_json(m, &text);
	else
		matrix_text(m, &text);
	(void)output_now(&text);
	str_fini(&text);
	matrix_free(m);
	return OUTCOME_DONE;
}
