/* Every option in words, from the rows. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option.h"

#define WIDTH 79

/* Words of text in lines no longer than WIDTH, each behind indent. */
static void print_wrapped(const char *indent, const char *text, FILE *out)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word > WIDTH) {
			(void)fputc('\n', out);
			column = 0;
		}
		(void)fprintf(out, "%s%.*s", column ? " " : indent, (int)word, text);
		column += word + (column ? 1 : strlen(indent));
		text += word;
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

static void print_heading(const struct section_kind *k, const char *before, FILE *out)
{
	(void)fprintf(out, "%s[%s%s]\n", before, k->word, k->named ? ":NAME" : "");
}

static void print_not_yet(const struct section_kind *k, const char *indent, FILE *out)
{
	struct str text = { 0 };

	if (!*k->not_yet)
		return;
	str_add(&text, "Not in this version:");
	for (const char *const *n = k->not_yet; *n; n++)
		str_addf(&text, " %s%s", *n, n[1] ? "," : ".");
	(void)fputc('\n', out);
	print_wrapped(indent, str_text(&text), out);
	str_fini(&text);
}

/* "auto, yes or no" where a value is one of some words. */
static void add_shape(const struct option *o, struct str *out)
{
	if (o->type != &option_words) {
		str_add(out, o->type->shape);
		return;
	}
	for (const struct option_word *w = o->words; w->word; w++)
		str_addf(out, "%s%s", w == o->words ? "" : w[1].word ? ", " : " or ", w->word);
}

static void print_option(const struct option *o, FILE *out)
{
	struct str shape = { 0 };

	(void)fprintf(out, "\n  %s =%s%s\n", o->key, *o->preset ? " " : "", o->preset);
	add_shape(o, &shape);
	str_addf(&shape, "; a change: %s", effect_word(o->effect));
	print_wrapped("      ", str_text(&shape), out);
	str_fini(&shape);
	print_wrapped("      ", o->help, out);
}

static const char reference_head[] =
	"Each key with its preset, what kind of value it takes, what a change of it\n"
	"costs at a reload, and what it means.\n"
	"\n"
	"  live     taken over by what runs\n"
	"  restart  needs a new generation of the program\n"
	"  rebind   needs a new socket at the address\n"
	"\n"
	"Durations: a number with ms, s, m, h, d; a bare number is seconds.  Sizes:\n"
	"bytes, or K, M, G (1024).  Lists: separated by commas or new lines.  A value may\n"
	"continue on indented lines.  Relative paths are relative to the file.\n"
	"Expansions: ${ENV:NAME}, ${ENV:NAME:-default}, ${here}, ${program}; in command,\n"
	"directory, environment and pid_file also ${worker}, ${slot}, ${generation},\n"
	"${fd:SOCKET}, ${port:SOCKET}, ${address:SOCKET} (${fd:SOCKET:1}: of the second\n"
	"address); $$ is a dollar.\n";

void settings_print_reference(FILE *out)
{
	(void)fputs(reference_head, out);
	for (const struct section_kind *k = section_kinds; k->word; k++) {
		print_heading(k, "\n", out);
		print_wrapped("  ", k->help, out);
		for (const struct option *o = k->options; o->key; o++)
			print_option(o, out);
		print_not_yet(k, "  ", out);
	}
}

static const char example_head[] =
	"# holdport.conf: what is held, what is run.\n"
	"#\n"
	"# Every line that begins with # or ; is a comment; everything below is one, and\n"
	"# shows a key with its preset.  Take the # away to change it.  The smallest file\n"
	"# that does something:\n"
	"#\n"
	"#[socket:http]\n"
	"#listen = *:8080\n"
	"#\n"
	"#[program:web]\n"
	"#command = /srv/app/server\n"
	"#sockets = http\n"
	"#\n"
	"# holdport check says every fault of this file at once; holdport config\n"
	"# --reference says what changing a key costs.  This file is printed by the\n"
	"# program from the table that it reads by.\n";

void settings_print_example(FILE *out)
{
	(void)fputs(example_head, out);
	for (const struct section_kind *k = section_kinds; k->word; k++) {
		(void)fputc('\n', out);
		print_wrapped("# ", k->help, out);
		print_heading(k, "#", out);
		for (const struct option *o = k->options; o->key; o++) {
			(void)fputc('\n', out);
			print_wrapped("# ", o->help, out);
			(void)fprintf(out, "#%s =%s%s\n", o->key, *o->preset ? " " : "", o->preset);
		}
		print_not_yet(k, "# ", out);
	}
}

/* A text as mdoc(7) takes it: each sentence begins a line, so that the formatter
 * knows where one ends. */
static void print_mdoc_text(const char *text, FILE *out)
{
	const char *end;

	while ((end = strstr(text, ". ")) != NULL) {
		char *sentence = mem_text_n(text, (size_t)(end + 1 - text));

		print_wrapped("", sentence, out);
		free(sentence);
		text = end + 2;
	}
	print_wrapped("", text, out);
}

static void print_mdoc_option(const struct option *o, FILE *out)
{
	struct str shape = { 0 };

	(void)fprintf(out, ".It Ic %s No \"=%s%s\"\n", o->key, *o->preset ? " " : "", o->preset);
	str_add(&shape, "(");
	add_shape(o, &shape);
	str_addf(&shape, "; %s)", effect_word(o->effect));
	print_wrapped("", str_text(&shape), out);
	(void)fputs(".Pp\n", out);
	str_fini(&shape);
	print_mdoc_text(o->help, out);
}

void settings_print_mdoc(FILE *out)
{
	for (const struct section_kind *k = section_kinds; k->word; k++) {
		(void)fprintf(out, ".Ss [%s%s]\\&\n", k->word, k->named ? ":NAME" : "");
		print_mdoc_text(k->help, out);
		(void)fputs(".Bl -tag -width Ds\n", out);
		for (const struct option *o = k->options; o->key; o++)
			print_mdoc_option(o, out);
		(void)fputs(".El\n", out);
		if (*k->not_yet)
			(void)fputs(".Pp", out);
		print_not_yet(k, "", out);
	}
}
