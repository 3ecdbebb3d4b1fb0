#include "cli/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/owner.h"
#include "config/nearest.h"
#include "config/quantity.h"

enum { OF_ALL = OPTION_BIT(HELP), LONG_ONLY = 256 };

enum kind { FLAG, TEXT, DURATION, NUMBER };

static const struct row {
	const char *name;
	char letter;			/* 0: none */
	enum kind kind;
	const char *argument;
	size_t field;			/* of struct request; a flag has none */
	const char *help;		/* NULL: not told */
} rows[OPTION_COUNT] = {
	[OPTION_CONFIG] = { "config", 'c', TEXT, "FILE", offsetof(struct request, config),
			    "the configuration; it says where its supervisor is found" },
	[OPTION_RUNTIME_DIR] = { "runtime-dir", 0, TEXT, "DIR",
				 offsetof(struct request, runtime_dir),
				 "where the supervisor is found, without reading a file" },
	[OPTION_JSON] = { "json", 0, FLAG, NULL, 0, "answer in JSON" },
	[OPTION_WATCH] = { "watch", 0, FLAG, NULL, 0, "go on, and show every change" },
	[OPTION_ALL] = { "all", 0, FLAG, NULL, 0, "every program" },
	[OPTION_NO_WAIT] = { "no-wait", 0, FLAG, NULL, 0,
			     "ask for it; do not wait for the outcome" },
	[OPTION_DRAINED] = { "drained", 0, FLAG, NULL, 0,
			     "wait for the workers before to be gone as well" },
	[OPTION_TIMEOUT] = { "timeout", 0, DURATION, "D", offsetof(struct request, timeout),
			     "wait at most D (5s, 2m); the work goes on" },
	[OPTION_GENERATION] = { "generation", 0, NUMBER, "N",
				offsetof(struct request, generation),
				"only the workers of generation N" },
	[OPTION_STATE] = { "state", 0, TEXT, "STATE", offsetof(struct request, state),
			   "the state to wait for, as in status" },
	[OPTION_TYPE] = { "type", 0, TEXT, "TYPE", offsetof(struct request, type),
			  "of socket: stream (preset), datagram, seqpacket" },
	[OPTION_RESET] = { "reset", 0, FLAG, NULL, 0,
			   "when the time is over, end what is left and served by nobody" },
	[OPTION_SERVED] = { "served", 0, FLAG, NULL, 0,
			    "with --reset: also what a process has open" },
	[OPTION_DRY_RUN] = { "dry-run", 0, FLAG, NULL, 0, "print the plan and leave it at that" },
	[OPTION_FOLLOW] = { "follow", 'f', FLAG, NULL, 0, "go on with what happens from now on" },
	[OPTION_SINCE] = { "since", 0, NUMBER, "SEQ", offsetof(struct request, since),
			   "only what happened after event SEQ" },
	[OPTION_LINES] = { "lines", 'n', NUMBER, "N", offsetof(struct request, lines),
			   "the last N lines (10)" },
	[OPTION_DEFAULTS] = { "defaults", 0, FLAG, NULL, 0, "every key, also those left alone" },
	[OPTION_REFERENCE] = { "reference", 0, FLAG, NULL, 0,
			       "every option, its meaning and what changing it costs" },
	[OPTION_EXAMPLE] = { "example", 0, FLAG, NULL, 0, NULL },
	[OPTION_COMPLETE] = { "complete", 0, FLAG, NULL, 0, NULL },
	[OPTION_HELP] = { "help", 'h', FLAG, NULL, 0, "this" },
	[OPTION_VERSION] = { "version", 0, FLAG, NULL, 0, NULL },
};

static int read_number(const char *text, int64_t *field, struct err *err)
{
	int64_t n;

	if (number_parse(text, &n, err))
		return -1;
	if (n < 0)
		return err_set(err, 0, "\"%s\" is less than nothing", text);
	*field = n;
	return 0;
}

static int take(struct request *r, enum option_id id, const char *text, struct err *err)
{
	const struct row *row = &rows[id];
	void *field = (char *)r + row->field;
	int rc = 0;

	switch (row->kind) {
	case FLAG:
		break;
	case TEXT:
		*(const char **)field = text;
		rc = *text ? 0 : err_set(err, 0, "nothing is given");
		break;
	case DURATION:
		rc = duration_parse(text, field, err);
		break;
	case NUMBER:
		rc = read_number(text, field, err);
		break;
	}
	if (rc)
		return err_in(err, "--%s", row->name);
	r->given |= 1u << id;
	return 0;
}

/* What getopt_long(3) reads.  A row is known by LONG_ONLY + its number. */
struct getopt_form {
	char shorts[2 * OPTION_COUNT + 3];
	struct option longs[OPTION_COUNT + 1];
};

/* order: '+' ends at the first name, '-' returns the names as they come. */
static void form_init(struct getopt_form *f, char order)
{
	char *p = f->shorts;

	*f = (struct getopt_form){ 0 };
	*p++ = order;
	*p++ = ':';
	for (int i = 0; i < OPTION_COUNT; i++) {
		bool wants = rows[i].kind != FLAG;

		f->longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = wants ? required_argument : no_argument,
			.val = LONG_ONLY + i,
		};
		if (rows[i].letter)
			*p++ = rows[i].letter;
		if (rows[i].letter && wants)
			*p++ = ':';
	}
}

static int id_of(int value)
{
	if (value >= LONG_ONLY)
		return value - LONG_ONLY;
	for (int i = 0; i < OPTION_COUNT; i++)
		if (rows[i].letter && rows[i].letter == value)
			return i;
	return -1;
}

static int unknown(const struct request *r, const char *word, struct err *err)
{
	unsigned known = OF_ALL | (r->command ? r->command->options : OPTIONS_LONG);
	struct text_list names = { 0 };
	char *bare = mem_text_n(word, strcspn(word, "="));
	const char *near;

	for (int i = 0; i < OPTION_COUNT; i++)
		if (known & (1u << i)) {
			char *name = mem_format("--%s", rows[i].name);

			text_list_add_owned(&names, name);
		}
	near = nearest(bare, &names);
	(void)err_set(err, 0, "%s: no such option%s%s%s", bare, near ? "; did you mean " : "",
		      near ? near : "", near ? "?" : "");
	free(bare);
	text_list_fini(&names);
	return -1;
}

static int refuse(const struct request *r, int value, char *const *words, struct err *err)
{
	int id = id_of(optopt);
	char letter[] = { '-', (char)optopt, '\0' };

	if (value == ':' && id >= 0)
		return err_set(err, 0, "--%s needs a value: --%s %s", rows[id].name,
			       rows[id].name, rows[id].argument);
	if (optopt >= LONG_ONLY)
		return err_set(err, 0, "--%s takes no value", rows[id].name);
	return unknown(r, optopt ? letter : words[optind - 1], err);
}

static void add_name(struct request *r, char *name)
{
	r->names = mem_grow(r->names, r->name_count + 2, sizeof(*r->names));
	r->names[r->name_count++] = name;
	r->names[r->name_count] = NULL;
}

static int read_words(struct request *r, int count, char **words, char order, struct err *err)
{
	struct getopt_form form;
	int value;

	form_init(&form, order);
	opterr = 0;
	optind = 0;	/* begin anew; both glibc and musl take it so */
	while ((value = getopt_long(count, words, form.shorts, form.longs, NULL)) != -1) {
		if (value == '?' || value == ':')
			return refuse(r, value, words, err);
		if (value == 1)
			add_name(r, optarg);
		else if (take(r, (enum option_id)id_of(value), optarg, err))
			return -1;
	}
	return 0;
}

int options_before(struct request *r, int argc, char **argv, char ***ret_words, struct err *err)
{
	if (read_words(r, argc, argv, '+', err))
		return -1;
	*ret_words = argv + (optind < argc ? optind : argc);
	return 0;
}

int options_behind(struct request *r, char **words, struct err *err)
{
	int count = 0;

	while (words[count])
		count++;
	if (read_words(r, count, words, '-', err))
		return -1;
	for (int i = optind; i < count; i++)
		add_name(r, words[i]);
	return 0;
}

int options_fit(const struct request *r, struct err *err)
{
	unsigned strange = r->given & ~(r->command->options | OF_ALL);

	for (int i = 0; i < OPTION_COUNT; i++)
		if (strange & (1u << i))
			return err_set(err, 0, "--%s is no option of this command", rows[i].name);
	return 0;
}

void options_help(unsigned set, struct str *out)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct row *row = &rows[i];
		struct str left = { 0 };

		if (!(set & (1u << i)) || !row->help)
			continue;
		str_addf(&left, row->letter ? "-%c, " : "    ", row->letter);
		str_addf(&left, "--%s%s%s", row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
		str_addf(out, "  %-22s  %s\n", str_text(&left), row->help);
		str_fini(&left);
	}
}

void options_complete(unsigned set, struct str *out)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct row *row = &rows[i];
		const char *argument = row->argument ? row->argument : "";

		if (!(set & (1u << i)) || !row->help)
			continue;
		str_addf(out, "--%s\t%s\t%s\n", row->name, argument, row->help);
		if (row->letter)
			str_addf(out, "-%c\t%s\t%s\n", row->letter, argument, row->help);
	}
}
