/* The options of all commands, as rows; reading a command line by them.
 *
 * Options may stand before or after the names, as in GNU, whatever
 * POSIXLY_CORRECT says; long ones may be shortened; "--" ends them. */
#ifndef HOLDPORT_CLI_OPTIONS_H
#define HOLDPORT_CLI_OPTIONS_H

#include "base/err.h"
#include "base/str.h"
#include "base/text_list.h"
#include "cli/cli.h"

enum option_id {
	OPTION_CONFIG,
	OPTION_RUNTIME_DIR,
	OPTION_JSON,
	OPTION_WATCH,
	OPTION_ALL,
	OPTION_NO_WAIT,
	OPTION_DRAINED,
	OPTION_TIMEOUT,
	OPTION_GENERATION,
	OPTION_STATE,
	OPTION_TYPE,
	OPTION_RESET,
	OPTION_SERVED,
	OPTION_DRY_RUN,
	OPTION_FOLLOW,
	OPTION_SINCE,
	OPTION_LINES,
	OPTION_DEFAULTS,
	OPTION_REFERENCE,
	OPTION_EXAMPLE,
	OPTION_COMPLETE,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT
};

#define OPTION_BIT(id) (1u << OPTION_##id)
/* How a supervisor is found, and how long to wait for it. */
#define OPTIONS_FIND (OPTION_BIT(CONFIG) | OPTION_BIT(RUNTIME_DIR))
#define OPTIONS_ASK  (OPTIONS_FIND | OPTION_BIT(TIMEOUT))
#define OPTIONS_LONG (OPTIONS_ASK | OPTION_BIT(JSON) | OPTION_BIT(NO_WAIT))

static inline bool option_given(const struct request *r, enum option_id id)
{
	return r->given & (1u << id);
}

/* Reads what stands before the command; *ret_words is where the command stands,
 * or the NULL at the end.  argv[0] is skipped. */
int options_before(struct request *r, int argc, char **argv, char ***ret_words,
		   struct err *err);
/* Reads what stands behind it: words[0] is the command, r->command is set. */
int options_behind(struct request *r, char **words, struct err *err);
/* Whether every option given is one of the command's. */
int options_fit(const struct request *r, struct err *err);
/* "  -c, --config FILE   …" for each option of the set that has a meaning to tell. */
void options_help(unsigned set, struct str *out);
/* "--config<TAB>FILE<TAB>…" and "-c<TAB>FILE<TAB>…" for each of those. */
void options_complete(unsigned set, struct str *out);

#endif
