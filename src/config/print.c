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

static void print_row(const struct option *o, const struct section *s, const void *object,
		      bool with_defaults, FILE *out)
{
	const struct reading r = { .here = s->source->here, .program = s->name };
	struct str now = { 0 }, preset = { 0 };
	void *fresh = mem_new(section_kind(s->kind)->size);

	o->type->print(o, object, &now);
	if (option_read(o, o->preset, &r, fresh, NULL) == 0)
		o->type->print(o, fresh, &preset);
	if (with_defaults || strcmp(str_text(&now), str_text(&preset)) != 0) {
		(void)fprintf(out, "%s =%s", o->key, now.length ? " " : "");
		print_value(str_text(&now), out);
	}
	if (o->type->fini)
		o->type->fini(o, fresh);
	free(fresh);
	str_fini(&now);
	str_fini(&preset);
}

static void print_section(const struct settings *s, const void *object, bool with_defaults,
			  FILE *out)
{
	const struct section *section = settings_section(s, object);

	(void)fprintf(out, "[%s%s%s]\n", section->kind, section->name ? ":" : "",
		      section->name ? section->name : "");
	for (const struct option *o = section_kind(section->kind)->options; o->key; o++)
		print_row(o, section, object, with_defaults, out);
}

void settings_print(const struct settings *s, bool with_defaults, FILE *out)
{
	print_section(s, &s->supervisor, with_defaults, out);
	for (size_t i = 0; i < s->socket_count; i++) {
		(void)fputs("\n", out);
		print_section(s, s->sockets[i], with_defaults, out);
	}
	for (size_t i = 0; i < s->program_count; i++) {
		(void)fputs("\n", out);
		print_section(s, s->programs[i], with_defaults, out);
	}
}
