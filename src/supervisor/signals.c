/* What a signal means. */
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/owner.h"
#include "logs/sink.h"
#include "supervisor/supervisor.h"

static void on_term(struct supervisor *s)
{
	if (s->state == MANAGER_LEAVING)
		supervisor_hurry(s, WORKER_EV_HURRY);
	supervisor_leave(s);
}

static void on_quit(struct supervisor *s)
{
	supervisor_leave(s);
	supervisor_hurry(s, WORKER_EV_KILL);
}

static void on_hup(struct supervisor *s)
{
	struct faults faults = { 0 };

	if (s->state != MANAGER_RUNNING)
		return;
	(void)supervisor_reload(s, false, &faults, NULL, NULL, NULL);
	for (size_t i = 0; i < faults.count; i++) {
		char *line = fault_text(&faults.items[i]);

		log_error("reload refused: %s", line);
		free(line);
	}
	faults_fini(&faults);
}

static void on_usr1(struct supervisor *s)
{
	sink_reopen();
	log_writer_reopen(&s->output);
}

static void on_usr2(struct supervisor *s)
{
	struct err err;

	if (upgrade_begin(s, NULL, &err) < 0)
		log_warning("SIGUSR2: %s", err.text);
}

static const struct {
	int number;
	void (*act)(struct supervisor *s);
} signal_table[SUPERVISOR_SIGNALS] = {
	{ SIGTERM, on_term }, { SIGINT, on_term },  { SIGQUIT, on_quit },
	{ SIGHUP, on_hup },   { SIGUSR1, on_usr1 }, { SIGUSR2, on_usr2 },
};

void supervisor_signal(struct supervisor *s, int number)
{
	for (size_t i = 0; i < COUNT(signal_table); i++)
		if (signal_table[i].number == number)
			signal_table[i].act(s);
}

static void on_signal(struct loop_signal *sig)
{
	for (size_t i = 0; i < COUNT(signal_table); i++)
		if (signal_table[i].number == sig->number)
			supervisor_signal(OWNER(sig - i, struct supervisor, signals), sig->number);
}

void supervisor_signals_start(struct supervisor *s)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);	/* ignored, it would take every exit status */
	for (size_t i = 0; i < COUNT(signal_table); i++)
		loop_signal_start(s->loop, &s->signals[i], signal_table[i].number, on_signal);
}

void supervisor_signals_stop(struct supervisor *s)
{
	for (size_t i = 0; i < COUNT(signal_table); i++)
		loop_signal_stop(&s->signals[i]);
}
