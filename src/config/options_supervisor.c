/* The rows of [supervisor] and [include], and the list of the sections. */
#include <string.h>

#include "config/option.h"

#define SELF struct supervisor_settings
#define FIELD(f, T, t) .key = #f, .type = &(t), .offset = OPTION_FIELD(SELF, f, T)

static const struct option_word levels[] = {
#define X(name, word) { word, LOG_LEVEL_##name },
	LOG_LEVELS(X)
#undef X
	{ NULL, 0 },
};

/* A path is told from a mistyped word by its slash. */
static int read_log(const struct option *o, const char *text, const struct reading *r,
		    void *object, struct err *err)
{
	int64_t unused;

	if (!strchr(text, '/') && option_word_value(o, text, &unused, err) < 0)
		return -1;
	return (strchr(text, '/') ? option_path : option_text).read(o, text, r, object, err);
}

static void print_log(const struct option *o, const void *object, struct str *out)
{
	option_text.print(o, object, out);
}

static void free_log(const struct option *o, void *object)
{
	option_text.fini(o, object);
}

/* Its place in the hierarchy, not one in a file system. */
static int read_cgroup(const struct option *o, const char *text, const struct reading *r,
		       void *object, struct err *err)
{
	int64_t unused;

	if (*text != '/' && option_word_value(o, text, &unused, err) < 0)
		return -1;
	if (strstr(text, ".."))
		return err_set(err, 0, "\"%.80s\" is no place in the hierarchy", text);
	return option_text.read(o, text, r, object, err);
}

static const struct option_type cgroup_type = { "word or path", false, read_cgroup, print_log,
						free_log };
static const struct option_type log_type = { "word or path", false, read_log, print_log, free_log };

/* clang-format off */
static const struct option_word logs[] = {
	{ "stderr", 0 }, { "syslog", 0 }, { "journal", 0 }, { "/PATH", 0 }, { NULL, 0 },
};

static const struct option_word cgroups[] = {
	{ "auto", 0 }, { "none", 0 }, { "/PATH", 0 }, { NULL, 0 },
};

const struct option options_supervisor[] = {
	{ FIELD(runtime_dir, char *, option_path), .preset = "", .effect = EFFECT_RESTART,
	  .help = "Where the control socket and the state live. Empty: /run/holdport for root, "
		  "else $XDG_RUNTIME_DIR/holdport, else a folder under /tmp named by the user's "
		  "number. Taken at the supervisor's start." },
	{ FIELD(pid_file, char *, option_path), .preset = "", .effect = EFFECT_LIVE,
	  .help = "A file that holds the supervisor's pid while it runs. Empty: none." },
	{ FIELD(log_level, enum log_level, option_words), .preset = "info", .words = levels,
	  .effect = EFFECT_LIVE,
	  .help = "The least important lines that are still logged: error, warning, notice, "
		  "info or debug." },
	{ FIELD(log, char *, log_type), .preset = "stderr", .words = logs, .effect = EFFECT_LIVE,
	  .help = "Where the supervisor's own lines go: stderr, syslog, journal or /PATH." },
	{ FIELD(shutdown_timeout, int64_t, option_duration), .preset = "90s", .max = 86400000,
	  .effect = EFFECT_LIVE,
	  .help = "How long an orderly shutdown may take; then what is left is killed." },
	{ FIELD(cgroup, char *, cgroup_type), .preset = "auto", .words = cgroups,
	  .effect = EFFECT_RESTART,
	  .help = "Where each generation gets a group of its own (cgroups(7), version 2): auto: "
		  "below the one that we are in, if that was given into our hands (Delegate=yes of "
		  "systemd); /PATH: below that one; none: nowhere. Taken at the supervisor's start." },
	{ FIELD(upgrade_timeout, int64_t, option_duration), .preset = "30s", .min = 1,
	  .max = 86400000, .effect = EFFECT_LIVE,
	  .help = "How long an upgrade waits: for the new executable's answer whether it "
		  "understands what runs, and then for it to run, before the old one goes on." },
	{ FIELD(read_group, char *, option_text), .preset = "", .effect = EFFECT_LIVE,
	  .help = "Who may look (status, sockets, events, wait) beside root and the supervisor's "
		  "user: members of this group, a name or a number. Empty: nobody." },
	{ FIELD(change_group, char *, option_text), .preset = "", .effect = EFFECT_LIVE,
	  .help = "Who may do everything, likewise. Who may change things can run commands as "
		  "the supervisor's user. Empty: nobody." },
	{ 0 },
};

#undef SELF
#define SELF struct include_settings
const struct option options_include[] = {
	{ FIELD(files, struct text_list, option_list), .preset = "", .effect = EFFECT_LIVE,
	  .help = "Files to read behind this one, a list; relative to this file. A pattern such "
		  "as conf.d/*.conf may match nothing, a plain name must exist." },
	{ 0 },
};

const char *const supervisor_not_yet[] = { NULL };
const char *const include_not_yet[] = { NULL };

const struct section_kind section_kinds[] = {
	{ "supervisor", false, options_supervisor, supervisor_not_yet,
	  sizeof(struct supervisor_settings), "The supervisor itself." },
	{ "include", false, options_include, include_not_yet,
	  sizeof(struct include_settings), "More files." },
	{ "socket", true, options_socket, socket_not_yet,
	  sizeof(struct socket_settings), "A listening socket that is held; programs name it." },
	{ "program", true, options_program, program_not_yet,
	  sizeof(struct program_settings), "A program that is supervised." },
	{ 0 },
};
/* clang-format on */

const struct section_kind *section_kind(const char *word)
{
	for (const struct section_kind *k = section_kinds; k->word; k++)
		if (strcmp(k->word, word) == 0)
			return k;
	return NULL;
}
