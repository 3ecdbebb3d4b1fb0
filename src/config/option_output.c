/* Where a worker's output goes: a word, or file:/path. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option_program.h"

#define FILE_WORD "file:"

static int read_file(const struct option *o, const char *path, const struct reading *r,
		     struct output *out, struct err *err)
{
	if (!*path)
		return err_set(err, 0, "file:/path needs a path");
	*out = (struct output){ .how = OUTPUT_FILE, .file = option_absolute(o, path, r) };
	return 0;
}

static int read_output(const struct option *o, const char *text, const struct reading *r,
		       void *object, struct err *err)
{
	struct output *out = OPTION_AT(o, object, struct output);
	int64_t how;

	if (strncmp(text, FILE_WORD, strlen(FILE_WORD)) == 0)
		return read_file(o, text + strlen(FILE_WORD), r, out, err);
	if (option_word_value(o, text, &how, err) < 0)
		return -1;
	*out = (struct output){ .how = (enum output_how)how };
	return 0;
}

static void print_output(const struct option *o, const void *object, struct str *out)
{
	const struct output *output = OPTION_AT_CONST(o, object, struct output);

	if (output->how == OUTPUT_FILE) {
		str_add(out, FILE_WORD);
		option_print_text(o, output->file, out);
		return;
	}
	for (const struct option_word *w = o->words; w->word; w++)
		if (w->value == (int64_t)output->how)
			str_add(out, w->word);
}

static void free_output(const struct option *o, void *object)
{
	struct output *out = OPTION_AT(o, object, struct output);

	free(out->file);
	out->file = NULL;
}

const struct option_type option_output = { "word", false, read_output, print_output, free_output };
