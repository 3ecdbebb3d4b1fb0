/* Settings as text: the file that would give them again. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option.h"
#include "config/understand.h"

/* A value over several lines continues behind white space. */
static void print_value(const char *value, FILE *out)
{
	const char *line = strchr(value, '\n');

	if (line)
		(void)fputs("\n\t", out);
	for (; (line = strchr(value, '\n')); value = line + 1)
		(void)fprintf(out, "%.*s\n\t", (int)(line - value), value);
	(void)fprintf(out, "%s\n", value);
}

/* What is not said of these is decided by other keys, or by the file it is not said in. */
static bool is_derived(const struct option *o)
{
	return strchr(o->preset, '$') || strcmp(o->key, "stop") == 0;
}

static void print_row(const struct option *o, const struct section *s, const void *object,
		      enum settings_text text, FILE *out)
{
	const struct reading r = { .here = s->source->here, .program = s->name };
	struct str now = { 0 }, preset = { 0 };
	void *fresh = mem_new(section_kind(s->kind)->size);

	o->type->print(o, object, &now);
	if (option_read(o, o->preset, &r, fresh, NULL) == 0)
		o->type->print(o, fresh, &preset);
	if (text == SETTINGS_EVERY_KEY || (text == SETTINGS_KEPT && is_derived(o)) ||
	    strcmp(str_text(&now), str_text(&preset)) != 0) {
		(void)fprintf(out, "%s =%s", o->key, now.length ? " " : "");
		print_value(str_text(&now), out);
	}
	if (o->type->fini)
		o->type->fini(o, fresh);
	free(fresh);
	str_fini(&now);
	str_fini(&preset);
}

static void print_section(const struct settings *s, const void *object,
			  enum settings_text text, FILE *out)
{
	const struct section *section = settings_section(s, object);

	(void)fprintf(out, "[%s%s%s]\n", section->kind, section->name ? ":" : "",
		      section->name ? section->name : "");
	for (const struct option *o = section_kind(section->kind)->options; o->key; o++)
		print_row(o, section, object, text, out);
}

/* [presets.program]: what is in force where a section of that kind does not say it. */
static void print_presets(FILE *out)
{
	for (const struct section_kind *k = section_kinds; k->word; k++) {
		(void)fprintf(out, "[" PRESETS_OF "%s]\n", k->word);
		for (const struct option *o = k->options; o->key; o++) {
			(void)fprintf(out, "%s =%s", o->key, *o->preset ? " " : "");
			print_value(o->preset, out);
		}
		(void)fputs("\n", out);
	}
}

void settings_print(const struct settings *s, enum settings_text text, FILE *out)
{
	if (text == SETTINGS_KEPT)
		print_presets(out);
	print_section(s, &s->supervisor, text, out);
	for (size_t i = 0; i < s->socket_count; i++) {
		(void)fputs("\n", out);
		print_section(s, s->sockets[i], text, out);
	}
	for (size_t i = 0; i < s->program_count; i++) {
		(void)fputs("\n", out);
		print_section(s, s->programs[i], text, out);
	}
}
