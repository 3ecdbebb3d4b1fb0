/* holdport: the commands, as a table. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/owner.h"
#include "cli/complete.h"
#include "cli/options.h"
#include "cli/output.h"
#include "config/nearest.h"

#define OPT(id) OPTION_BIT(id)

const struct command commands[] = {
	{ "run", cmd_run, "[-c FILE]", "supervise in the foreground",
	  OPT(CONFIG), 0, 0, NULL },
	{ "exec", NULL, "[--intercept] [-l ADDR]... [--KEY=VALUE]... -- COMMAND [ARG...]",
	  "supervise one command without a file: holdport exec -l 8080 -- ./server",
	  0, 0, NAMES_ANY, cmd_exec },
	{ "check", cmd_check, "[-c FILE]", "every fault of the configuration at once",
	  OPT(CONFIG), 0, 0, NULL },
	{ "config", cmd_config, "[-c FILE] [--defaults|--reference]",
	  "the settings in effect, or every option with its meaning",
	  OPT(CONFIG) | OPT(DEFAULTS) | OPT(REFERENCE) | OPT(EXAMPLE), 0, 0, NULL },
	{ "status", cmd_status, "[NAME...] [--json] [--watch]",
	  "programs, generations, workers, sockets",
	  OPTIONS_ASK | OPT(JSON) | OPT(WATCH), 0, NAMES_ANY, NULL },
	{ "sockets", cmd_sockets, "[NAME...] [--json]",
	  "what is held, who is connected, who has a copy",
	  OPTIONS_ASK | OPT(JSON), 0, NAMES_ANY, NULL },
	{ "start", cmd_start, "NAME... | --all", "start programs",
	  OPTIONS_LONG | OPT(ALL), 0, NAMES_ANY, NULL },
	{ "stop", cmd_stop, "NAME... | --all", "stop programs; their sockets stay held",
	  OPTIONS_LONG | OPT(ALL), 0, NAMES_ANY, NULL },
	{ "restart", cmd_restart, "NAME... | --all",
	  "a new generation of workers in the place of the old",
	  OPTIONS_LONG | OPT(DRAINED) | OPT(ALL), 0, NAMES_ANY, NULL },
	{ "rollback", cmd_rollback, "NAME",
	  "a new generation from settings and executable of the one before",
	  OPTIONS_LONG | OPT(DRAINED), 1, 1, NULL },
	{ "scale", cmd_scale, "NAME N", "N workers, without touching the others",
	  OPTIONS_LONG | OPT(DRAINED), 2, 2, NULL },
	{ "signal", cmd_signal, "NAME SIGNAL [--generation N]", "send a signal to the workers",
	  OPTIONS_ASK | OPT(GENERATION), 2, 2, NULL },
	{ "reload", cmd_reload, "[--dry-run]",
	  "read the configuration again; the plan is printed, then carried out",
	  OPTIONS_LONG | OPT(DRAINED) | OPT(DRY_RUN), 0, 0, NULL },
	{ "upgrade", cmd_upgrade, "",
	  "the executable that is installed now in the place of the one that runs",
	  OPTIONS_LONG, 0, 0, NULL },
	{ "events", cmd_events, "[-f] [--json] [--since SEQ]", "what happened",
	  OPTIONS_ASK | OPT(JSON) | OPT(FOLLOW) | OPT(SINCE), 0, 0, NULL },
	{ "logs", cmd_logs, "[-f] [-n N] NAME", "what a program said last, and what it says",
	  OPTIONS_ASK | OPT(FOLLOW) | OPT(LINES), 1, 1, NULL },
	{ "wait", cmd_wait, "NAME --state STATE", "wait until a program is in a state",
	  OPTIONS_ASK | OPT(NO_WAIT) | OPT(STATE), 1, 1, NULL },
	{ "shutdown", cmd_shutdown, "", "stop everything, and the supervisor",
	  OPTIONS_LONG, 0, 0, NULL },
	{ "explain", cmd_explain, "ADDR [--type TYPE] [--json]",
	  "why an address cannot be bound now, until when, and what would help",
	  OPT(TYPE) | OPT(JSON), 1, 1, NULL },
	{ "drain", cmd_drain, "ADDR [--type TYPE] [--timeout D] [--reset [--served]]",
	  "wait until an address can be bound",
	  OPT(TYPE) | OPT(TIMEOUT) | OPT(RESET) | OPT(SERVED), 1, 1, NULL },
	{ "bind-matrix", cmd_bind_matrix, "[--json]",
	  "what this system does with a second bind, found out by doing it",
	  OPT(JSON), 0, 0, NULL },
	{ "version", cmd_version, "[--json]", "the version of this command",
	  OPT(JSON), 0, 0, NULL },
	{ "help", cmd_help, "[COMMAND]", "how a command is used", OPT(COMPLETE), 0, 1, NULL },
	{ .name = "adopt" },
	{ .name = "import" },
	{ .name = NULL },
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

bool command_is_here(const struct command *c)
{
	return c->run || c->run_raw;
}

static int no_such_command(const char *name)
{
	struct text_list names = { 0 };
	char hint[NEAREST_SIZE];

	for (const struct command *c = commands; c->name; c++)
		if (command_is_here(c))
			text_list_add(&names, c->name);
	nearest_hint(name, &names, hint);
	(void)complain(0, "\"%s\" is no command%s", name, *hint ? hint : "; see holdport help");
	text_list_fini(&names);
	return OUTCOME_USAGE;
}

/* The command of that name, or NULL and what is wrong with it was said. */
static const struct command *command_wanted(const char *name)
{
	const struct command *c = command_find(name);

	if (!c)
		(void)no_such_command(name);
	else if (!command_is_here(c))
		(void)complain(0, "%s: not in this version", name);
	return c && command_is_here(c) ? c : NULL;
}

static void help_all(FILE *out)
{
	(void)fputs("usage: holdport COMMAND [OPTION...] [NAME...]\n\n", out);
	for (const struct command *c = commands; c->name; c++)
		if (command_is_here(c))
			(void)fprintf(out, "  %-11s %s\n", c->name, c->help);
	(void)fputs("\nholdport help COMMAND tells the options of one.\n", out);
}

static const char exec_options[] =
	"  -l ADDR                 hold this address for it; may be said again\n"
	"      --KEY=VALUE         any key of [program:NAME], such as --ready=tcp, --workers=2;\n"
	"                          holdport config --reference tells them all\n"
	"      --runtime-dir=DIR   where its supervisor is found\n";

static void help_one(const struct command *c)
{
	struct str text = { 0 };

	str_addf(&text, "usage: holdport %s%s%s\n\n%s\n\n", c->name, *c->usage ? " " : "", c->usage,
		 c->help);
	if (c->run_raw)
		str_add(&text, exec_options);
	options_help(c->options | OPT(HELP), &text);
	(void)output_now(&text);
	str_fini(&text);
}

/* For shells: nothing but what there is; silence where there is nothing. */
static int help_shell(const struct request *r)
{
	const struct command *c = r->name_count ? command_find(r->names[0]) : NULL;
	struct str text = { 0 };

	if (r->name_count && !(c && command_is_here(c)))
		return OUTCOME_USAGE;
	complete_print(c, &text);
	(void)output_now(&text);
	str_fini(&text);
	return OUTCOME_DONE;
}

int cmd_help(struct request *r)
{
	const struct command *c = r->command;

	if (option_given(r, OPTION_COMPLETE))
		return help_shell(r);
	if (c && c->run == cmd_help && r->name_count)
		c = command_wanted(r->names[0]);
	else if (c && c->run == cmd_help && !option_given(r, OPTION_HELP))
		return help_all(stdout), OUTCOME_DONE;
	if (!c)
		return OUTCOME_USAGE;
	help_one(c);
	return OUTCOME_DONE;
}

static int usage(const struct request *r, const char *what)
{
	const struct command *c = r->command;

	return complain(OUTCOME_USAGE, "%s%s%s", c ? c->name : "", c ? ": " : "", what);
}

/* What a word behind these, which take none, was meant for. */
static const char *meant_by(const struct command *c)
{
	static const char *const meant[][2] = {
		{ "run", "run -c" }, { "check", "check -c" }, { "config", "config -c" },
		{ "reload", "restart" }, { "shutdown", "stop" },
	};

	for (size_t i = 0; i < COUNT(meant); i++)
		if (strcmp(c->name, meant[i][0]) == 0)
			return meant[i][1];
	return NULL;
}

static int too_many(const struct command *c, const char *word)
{
	const char *meant = meant_by(c);

	if (meant)
		return complain(OUTCOME_USAGE, "%s takes no \"%s\"; did you mean holdport %s %s?",
				c->name, word, meant, word);
	return complain(OUTCOME_USAGE, "%s: \"%s\" is too much; usage: holdport %s%s%s", c->name,
			word, c->name, *c->usage ? " " : "", c->usage);
}

static int count_names(const struct request *r)
{
	const struct command *c = r->command;
	int count = (int)r->name_count;

	if (count < c->names_least)
		return complain(OUTCOME_USAGE, "usage: holdport %s %s", c->name, c->usage);
	if (c->names_most != NAMES_ANY && count > c->names_most)
		return too_many(c, r->names[c->names_most]);
	return 0;
}

/* JSON carries nothing else. */
static int names_are_text(const struct request *r)
{
	for (size_t i = 0; i < r->name_count; i++) {
		json_t *text = json_string(r->names[i]);

		if (!text)
			return complain(OUTCOME_UNKNOWN_NAME, "%s is no name: it is not UTF-8",
					r->names[i]);
		json_decref(text);
	}
	return 0;
}

static int run_command(struct request *r, char **words)
{
	struct err err;
	int code;

	if (options_behind(r, words, &err) || options_fit(r, &err))
		return usage(r, err.text);
	if (option_given(r, OPTION_HELP))
		return cmd_help(r);
	code = count_names(r);
	code = code ? code : names_are_text(r);
	return code ? code : r->command->run(r);
}

static int run_raw(struct request *r, char **words)
{
	struct err err;

	if (options_fit(r, &err))
		return usage(r, err.text);
	return option_given(r, OPTION_HELP) ? cmd_help(r) : r->command->run_raw(r, words);
}

static int without_command(const struct request *r)
{
	if (option_given(r, OPTION_VERSION))
		return cmd_version(NULL);
	help_all(option_given(r, OPTION_HELP) ? stdout : stderr);
	return option_given(r, OPTION_HELP) ? OUTCOME_DONE : OUTCOME_USAGE;
}

static int serve(struct request *r, int argc, char **argv)
{
	char **words;
	struct err err;

	if (options_before(r, argc, argv, &words, &err))
		return usage(r, err.text);
	if (!*words || option_given(r, OPTION_VERSION))
		return without_command(r);
	r->command = command_wanted(*words);
	if (!r->command)
		return OUTCOME_USAGE;
	return r->command->run_raw ? run_raw(r, words) : run_command(r, words);
}

/* A descriptor that we open must not become somebody's standard output. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

static const char *from_surroundings(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int main(int argc, char **argv)
{
	struct request r = { .timeout = -1, .since = -1, .generation = -1, .lines = -1 };
	const char *terminal = from_surroundings("TERM");
	int code;

	fill_standard_descriptors();
	r.config_of_env = from_surroundings("HOLDPORT_CONFIG");
	r.color = isatty(STDOUT_FILENO) && !from_surroundings("NO_COLOR") && terminal &&
		  strcmp(terminal, "dumb") != 0;
	code = serve(&r, argc, argv);
	free(r.names);
	return output_finish(code);
}
