/* The `holdport` command: asks a supervisor and says what it answered.
 *
 * One row of the table in main.c is one command.  A handler gets the command
 * line already read (options.h) and returns what the process exits with; what
 * went wrong it has said itself, by complain(). */
#ifndef HOLDPORT_CLI_CLI_H
#define HOLDPORT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What scripts rely on (docs: exit codes). */
enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_FAILED = 1,		/* what ran before still runs */
	OUTCOME_USAGE = 2,		/* or the configuration */
	OUTCOME_NOT_RUNNING = 3,	/* status: something is not; explain: it cannot be bound */
	OUTCOME_NOT_PERMITTED = 4,
	OUTCOME_UNKNOWN_NAME = 6,
	OUTCOME_NO_SUPERVISOR = 7,
	OUTCOME_TIMED_OUT = 8,
};

struct command;

/* A command line, read.  Texts are borrowed from argv and the environment. */
struct request {
	const struct command *command;	/* NULL: none was named */
	unsigned given;			/* OPTION_BIT()s */
	const char *config;		/* -c */
	const char *config_of_env;	/* HOLDPORT_CONFIG; NULL: unset or empty */
	const char *runtime_dir;
	const char *state;
	const char *type;
	int64_t timeout;		/* ms; -1: none */
	int64_t since, generation, lines;	/* -1: not given */
	char **names;			/* what is no option, ended by NULL; owned */
	size_t name_count;
	bool color;			/* standard output takes colours */
};

enum { NAMES_ANY = -1 };

struct command {
	const char *name;
	int (*run)(struct request *r);	/* NULL: not in this version */
	const char *usage;		/* what stands behind the name */
	const char *help;		/* one line */
	unsigned options;		/* OPTION_BIT()s, beside those of all commands */
	int names_least, names_most;	/* NAMES_ANY: no limit */
	/* The words behind the command's name are its own business. */
	int (*run_raw)(struct request *r, char **words);
};

extern const struct command commands[];		/* ended by a row without a name */
const struct command *command_find(const char *name);
bool command_is_here(const struct command *c);	/* in this version */

int cmd_run(struct request *r);
int cmd_logs(struct request *r);
int cmd_exec(struct request *r, char **words);
int cmd_check(struct request *r);
int cmd_config(struct request *r);
int cmd_status(struct request *r);
int cmd_sockets(struct request *r);
int cmd_start(struct request *r);
int cmd_stop(struct request *r);
int cmd_restart(struct request *r);
int cmd_rollback(struct request *r);
int cmd_scale(struct request *r);
int cmd_signal(struct request *r);
int cmd_reload(struct request *r);
int cmd_upgrade(struct request *r);
int cmd_events(struct request *r);
int cmd_wait(struct request *r);
int cmd_shutdown(struct request *r);
int cmd_bind_matrix(struct request *r);
int cmd_explain(struct request *r);
int cmd_drain(struct request *r);
int cmd_version(struct request *r);
int cmd_help(struct request *r);

#endif
