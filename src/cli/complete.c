/* help --complete: the tables, for the completions of shells.
 *
 * What a shell offers is asked of the program that is installed, so it cannot
 * be of another version.  A line is fields with a tab between; see
 * contrib/completions. */
#include "cli/complete.h"

#include <string.h>

#include "cli/options.h"
#include "config/option.h"

/* "NAME<TAB>what it does" */
static void commands_to(struct str *out)
{
	for (const struct command *c = commands; c->name; c++)
		if (command_is_here(c))
			str_addf(out, "%s\t%s\n", c->name, c->help);
}

/* Every key of a program is an option of `exec`. */
static void keys_to(struct str *out)
{
	str_add(out, "-l\tADDR\tan address to hold\n");
	str_add(out, "--intercept\t\tit binds for itself, and is given what is held\n");
	str_add(out, "--runtime-dir=\tDIR\twhere the supervisor is found\n");
	for (const struct option *o = options_program; o->key; o++)
		if (strcmp(o->key, "command") != 0 && strcmp(o->key, "sockets") != 0)
			str_addf(out, "--%s=\t%s\t%s\n", o->key, o->type->shape, o->help);
}

/* What stands behind a command that is no option: "NAME" of programs,
 * "COMMAND" of this one. */
static void names_to(const struct command *c, struct str *out)
{
	const char *usage = c->usage + (*c->usage == '[');

	if (c->names_most != 0 && strncmp(usage, "NAME", 4) == 0)
		str_add(out, "NAME\t\ta program\n");
	else if (c->names_most != 0)
		str_add(out, "COMMAND\t\ta command\n");
}

void complete_print(const struct command *c, struct str *out)
{
	if (!c) {
		commands_to(out);
		return;
	}
	if (c->run_raw)
		keys_to(out);
	else
		names_to(c, out);
	options_complete(c->options | OPTION_BIT(HELP), out);
}
