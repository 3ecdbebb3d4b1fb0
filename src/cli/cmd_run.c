/* run, exec: become holdportd. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/text_list.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "config/settings.h"
#include "platform/platform.h"

#define DAEMON "holdportd"

/* Beside us in a build, in the sbin of the same tree once installed (wherever
 * that tree was put), else where it was meant to be. */
static void places(struct text_list *ret)
{
	char *dir = platform_own_directory();

	if (dir) {
		text_list_add_owned(ret, mem_format("%s/" DAEMON, dir));
		text_list_add_owned(ret, mem_format("%s/../sbin/" DAEMON, dir));
	}
	text_list_add(ret, HOLDPORT_SBINDIR "/" DAEMON);
	free(dir);
}

static bool not_there(void)
{
	return errno == ENOENT || errno == ENOTDIR;
}

static int complain_missing(const struct text_list *where)
{
	struct str text = { 0 };

	for (size_t i = 0; i < where->count; i++)
		str_addf(&text, "%s%s", i ? ", " : "", where->items[i]);
	(void)complain(0, "there is no " DAEMON ", looked for as %s", str_text(&text));
	str_fini(&text);
	return OUTCOME_FAILED;
}

/* Returns only when it cannot. */
static int become(char **argv)
{
	struct text_list where = { 0 };
	int code;

	(void)fflush(stdout);
	places(&where);
	errno = ENOENT;
	for (size_t i = 0; i < where.count && not_there(); i++) {
		argv[0] = where.items[i];
		(void)execv(where.items[i], argv);
	}
	code = not_there() ? complain_missing(&where)
			   : complain(OUTCOME_FAILED, "cannot run " DAEMON ": %s", strerror(errno));
	text_list_fini(&where);
	return code;
}

int cmd_run(struct request *r)
{
	char *file = config_named(r);
	const char *missing = settings_default_file();
	char *argv[] = { DAEMON, "run", "-c", file, NULL };
	int code;

	if (!file)
		return complain(OUTCOME_USAGE, "run: there is no %s; name a file with -c FILE",
				missing);
	code = become(argv);
	free(file);
	return code;
}

#define LISTEN "--listen"	/* what -l is in a file; both are written, -l is meant */

/* The words of holdportd's exec, one form each: -l ADDR, --KEY=VALUE, --, COMMAND. */
struct exec {
	char **argv;
	size_t count;
	bool listens, intercepts;
};

static void add(struct exec *e, char *word)
{
	e->argv = mem_grow(e->argv, e->count + 2, sizeof(*e->argv));
	e->argv[e->count++] = word;
	e->argv[e->count] = NULL;
}

/* An address in the same word, or the next one; NULL: it is no option for that. */
static const char *listen_in(const char *word, const char *next)
{
	if (strcmp(word, "-l") == 0 || strcmp(word, LISTEN) == 0)
		return next ? next : "";
	if (strncmp(word, LISTEN "=", strlen(LISTEN "=")) == 0)
		return word + strlen(LISTEN "=");
	return strncmp(word, "-l", 2) == 0 ? word + 2 : NULL;
}

static int take_listen(struct exec *e, const char *address)
{
	if (!*address || strcmp(address, "--") == 0)
		return complain(OUTCOME_USAGE, "exec: -l needs an address: -l 8080");
	e->listens = true;
	add(e, (char *)"-l");		/* read, never written */
	add(e, (char *)address);
	return 0;
}

/* Takes one option, of one word or two; *words moves to the last of them. */
static int take_option(struct exec *e, char ***words)
{
	char *word = **words;
	const char *address = listen_in(word, (*words)[1]);

	if (address) {
		*words += address == (*words)[1];
		return take_listen(e, address);
	}
	if (strcmp(word, "--intercept") == 0) {
		e->intercepts = true;
		add(e, (char *)"--handoff=intercept");
	} else if (strncmp(word, "--", 2) == 0 && strchr(word, '=')) {
		add(e, word);
	} else if (strncmp(word, "--", 2) == 0 && (*words)[1] && *(*words)[1] != '-') {
		return complain(OUTCOME_USAGE, "exec: %s: a value is joined to it: %s=%s", word,
				word, (*words)[1]);
	} else {
		return complain(OUTCOME_USAGE,
				"exec: %s: options are -l ADDR, --intercept and --KEY=VALUE, "
				"before the command", word);
	}
	return 0;
}

static bool asks_for_help(const char *word)
{
	return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

static int no_command(void)
{
	return complain(OUTCOME_USAGE, "exec: which command?  for example: "
				       "holdport exec -l 8080 --workers=2 -- ./server --verbose");
}

/* 0, or what is wrong was said. */
static int read_words(struct exec *e, char **words)
{
	int code = 0;

	while (!code && *++words && **words == '-' && strcmp(*words, "--") != 0)
		code = take_option(e, &words);
	if (code)
		return code;
	if (*words && strcmp(*words, "--") == 0)
		words++;
	if (!*words)
		return no_command();
	if (e->intercepts && !e->listens)
		return complain(OUTCOME_USAGE, "exec: --intercept: which address may it bind?  for "
				"example: holdport exec --intercept -l 8080 -- %s", *words);
	add(e, "--");
	for (; *words; words++)
		add(e, *words);
	return 0;
}

int cmd_exec(struct request *r, char **words)
{
	struct exec e = { 0 };
	int code;

	if (asks_for_help(words[1])) {
		r->given |= OPTION_BIT(HELP);
		return cmd_help(r);
	}
	add(&e, DAEMON);
	add(&e, "exec");
	code = read_words(&e, words);
	code = code ? code : become(e.argv);
	free(e.argv);
	return code;
}
