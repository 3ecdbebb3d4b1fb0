#include "config/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/expand.h"
#include "config/nearest.h"
#include "config/words.h"

const struct option *option_find(const struct option *options, const char *key)
{
	for (; options->key; options++)
		if (strcmp(options->key, key) == 0)
			return options;
	return NULL;
}

/* Names that a worker's start will know; those with a colon take an argument. */
static const char *const late_names[] = { "worker", "slot",  "generation",
					  "fd:",    "port:", "address:" };

static bool is_late(const char *name)
{
	for (size_t i = 0; i < COUNT(late_names); i++) {
		size_t n = strlen(late_names[i]);

		if (late_names[i][n - 1] == ':' ? strncmp(name, late_names[i], n) == 0
						: strcmp(name, late_names[i]) == 0)
			return true;
	}
	return false;
}

static int unknown_name(const char *name, struct err *err)
{
	struct text_list known = { 0 };
	char hint[NEAREST_SIZE];

	text_list_add(&known, "here");
	text_list_add(&known, "program");
	for (size_t i = 0; i < 3; i++)
		text_list_add(&known, late_names[i]);
	nearest_hint(name, &known, hint);
	text_list_fini(&known);
	return err_set(err, 0, "unknown expansion ${%.80s}%s%s", name, hint,
		       *hint ? ""
			     : "; there are ENV:NAME, here, program, worker, slot, generation, "
			       "fd:SOCKET, port:SOCKET, address:SOCKET");
}

/* NAME or NAME:-default, with the shell's meaning: empty counts as unset. */
static int environment_name(const char *text, struct str *out, struct err *err)
{
	const char *otherwise = strstr(text, ":-");
	char *name = otherwise ? mem_text_n(text, (size_t)(otherwise - text)) : mem_text(text);
	const char *value = getenv(name);

	free(name);
	if (otherwise && (!value || !*value))
		value = otherwise + 2;
	if (!value)
		return err_set(err, 0,
			       "%.80s is not set in the environment; "
			       "${ENV:%.80s:-VALUE} would give it a value then",
			       text, text);
	str_add(out, value);
	return 1;
}

struct early {
	const struct option *option;
	const struct reading *reading;
};

static int early_name(const char *name, void *ctx, struct str *out, struct err *err)
{
	const struct early *e = ctx;
	const char *value = NULL;

	if (strncmp(name, "ENV:", 4) == 0)
		return environment_name(name + 4, out, err);
	if (is_late(name)) {
		if (e->option->late)
			return 0;
		return err_set(err, 0, "${%.80s} is known only when a worker starts; "
				       "it can stand in command, directory, environment, pid_file",
			       name);
	}
	if (strcmp(name, "here") == 0)
		value = e->reading->here;
	else if (strcmp(name, "program") == 0)
		value = e->reading->program;
	else
		return unknown_name(name, err);
	if (!value)
		return err_set(err, 0, "${program} has a meaning in [program:NAME] only");
	str_add(out, value);
	return 1;
}

char *option_expand(const struct option *o, const char *text, const struct reading *r,
		    struct err *err)
{
	struct early e = { o, r };
	struct str out = { 0 };

	if (expand(text, early_name, &e, o->late, &out, err) == 0)
		return str_take(&out);
	str_fini(&out);
	return NULL;
}

int option_read(const struct option *o, const char *text, const struct reading *r, void *object,
		struct err *err)
{
	char *expanded = NULL;
	int rc = -1;

	if (!o->type->splits) {
		expanded = option_expand(o, text, r, err);
		if (!expanded)
			return -1;
		text = expanded;
	}
	if (!*text && *o->preset)
		rc = err_set(err, 0, "a value is needed; the preset is \"%s\"", o->preset);
	else
		rc = o->type->read(o, text, r, object, err);
	free(expanded);
	return rc;
}

/* Of a thousand sections each leaves most of seventy keys as they are. */
static bool is_shared(const struct option *o)
{
	return !strchr(o->preset, '$') && (!o->type->fini || !*o->preset);
}

void *options_presets(const struct option *options, size_t size)
{
	const struct reading nowhere = { .here = "/" };
	void *object = mem_new(size);

	for (; options->key; options++)
		if (is_shared(options))
			(void)option_read(options, options->preset, &nowhere, object, NULL);
	return object;
}

static void read_row(const struct option *o, const struct section *s, void *object,
		     struct faults *faults)
{
	struct reading r = {
		.here = s->source->here,
		.program = strcmp(s->kind, "program") == 0 ? s->name : NULL,
	};
	const struct entry *e = section_find(s, o->key);
	struct err err;

	if (!e && is_shared(o))
		return;
	if (option_read(o, e ? e->value : o->preset, &r, object, &err) == 0)
		return;
	faults_add(faults, s->place.file, e ? e->line : s->place.line, "%s: %s", o->key, err.text);
	/* So that what is checked later does not stumble over the same fault. */
	if (o->type->fini)
		o->type->fini(o, object);
	(void)option_read(o, o->preset, &r, object, NULL);
}

void options_read(const struct option *options, const struct section *s, void *object,
		  struct faults *faults)
{
	for (; options->key; options++)
		read_row(options, s, object, faults);
}

void options_fini(const struct option *options, void *object)
{
	for (; options->key; options++)
		if (options->type->fini)
			options->type->fini(options, object);
}

/* Is word one of the blank-separated words? */
static bool listed(const char *words, const char *word)
{
	size_t n = strcspn(word, ":");	/* http:PATH goes by http: */

	for (const char *p = words; p && *p; p += strspn(p, " ")) {
		size_t length = strcspn(p, " ");

		if (length && strncmp(p, word, n) == 0 &&
		    (length == n || (length == n + 1 && p[n] == ':' && word[n] == ':')))
			return true;
		p += length;
	}
	return false;
}

static int unknown_word(const struct option *o, const char *word, struct err *err)
{
	struct text_list known = { 0 };
	struct str all = { 0 };
	char hint[NEAREST_SIZE];

	for (const struct option_word *w = o->words; w->word; w++) {
		text_list_add(&known, w->word);
		str_addf(&all, "%s%s", w == o->words ? "" : w[1].word ? ", " : " or ", w->word);
	}
	err_set(err, 0, "cannot read \"%.80s\"; it is %s%s", word, str_text(&all),
		nearest_hint(word, &known, hint));
	str_fini(&all);
	text_list_fini(&known);
	return -1;
}

int option_word_value(const struct option *o, const char *word, int64_t *ret, struct err *err)
{
	for (const struct option_word *w = o->words; w->word; w++)
		if (strcmp(w->word, word) == 0) {
			*ret = w->value;
			return 0;
		}
	if (listed(o->not_yet, word))
		return err_set(err, 0, "\"%.80s\": not in this version", word);
	return unknown_word(o, word, err);
}

void option_print_text(const struct option *o, const char *text, struct str *out)
{
	if (o->late)
		str_add(out, text);
	else
		str_add_dollars(out, text);
}

char *option_absolute(const struct option *o, const char *path, const struct reading *r)
{
	struct str out = { 0 };

	/* The one late expansion that may itself begin with a slash. */
	if (*path == '/' || (o->late && strncmp(path, "${address:", 10) == 0))
		return mem_text(path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	if (o->late)
		str_add_dollars(&out, r->here);
	else
		str_add(&out, r->here);
	str_addf(&out, "%s%s", strcmp(r->here, "/") == 0 ? "" : "/", path);
	return str_take(&out);
}
