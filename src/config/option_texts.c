#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option.h"
#include "config/words.h"

static int read_text(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	(void)r;
	(void)err;
	*OPTION_AT(o, object, char *) = *text ? mem_text(text) : NULL;
	return 0;
}

static int read_path(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	(void)err;
	*OPTION_AT(o, object, char *) = *text ? option_absolute(o, text, r) : NULL;
	return 0;
}

static void print_text(const struct option *o, const void *object, struct str *out)
{
	const char *text = *OPTION_AT_CONST(o, object, char *const);

	if (text)
		option_print_text(o, text, out);
}

static void free_text(const struct option *o, void *object)
{
	char **text = OPTION_AT(o, object, char *);

	free(*text);
	*text = NULL;
}

const struct option_type option_text = { "text", false, read_text, print_text, free_text };
const struct option_type option_path = { "path", false, read_path, print_text, free_text };

/* Lists: split first, then each item is expanded and stays one item. */

static int expand_all(const struct option *o, const struct text_list *items,
		      const struct reading *r, void *object, struct err *err)
{
	struct text_list *ret = OPTION_AT(o, object, struct text_list);

	for (size_t i = 0; i < items->count; i++) {
		char *item = option_expand(o, items->items[i], r, err);

		if (!item)
			return -1;
		text_list_add_owned(ret, item);
	}
	return 0;
}

static int read_items(const struct option *o, const char *text, const char *separators,
		      const struct reading *r, void *object, struct err *err)
{
	struct text_list items = { 0 };
	int rc;

	items_split(text, separators, &items);
	rc = expand_all(o, &items, r, object, err);
	text_list_fini(&items);
	return rc;
}

static int read_list(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	return read_items(o, text, ",\n", r, object, err);
}

static int assignment_fault(const char *line, struct err *err)
{
	size_t name = strcspn(line, "=");

	if (line[name] == '=' && name && strcspn(line, " \t$") > name &&
	    (line[0] < '0' || line[0] > '9'))
		return 0;
	return err_set(err, 0, "cannot read \"%.80s\"; NAME=value is needed, one a line", line);
}

static int read_lines(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	const struct text_list *lines = OPTION_AT(o, object, struct text_list);
	size_t before = lines->count;

	if (read_items(o, text, "\n", r, object, err) < 0)
		return -1;
	for (size_t i = before; i < lines->count; i++)
		if (assignment_fault(lines->items[i], err) < 0)
			return -1;
	return 0;
}

static void print_joined(const struct option *o, const void *object, const char *between,
			 struct str *out)
{
	const struct text_list *list = OPTION_AT_CONST(o, object, struct text_list);

	for (size_t i = 0; i < list->count; i++) {
		str_add(out, i ? between : "");
		option_print_text(o, list->items[i], out);
	}
}

static void print_list(const struct option *o, const void *object, struct str *out)
{
	print_joined(o, object, ", ", out);
}

static void print_lines(const struct option *o, const void *object, struct str *out)
{
	print_joined(o, object, "\n", out);
}

static void free_list(const struct option *o, void *object)
{
	text_list_fini(OPTION_AT(o, object, struct text_list));
}

/* A command's first word is a program: by its name along PATH, or by its path. */
static void locate(const struct option *o, struct text_list *words, const struct reading *r)
{
	char *path;

	if (!words->count || !strchr(words->items[0], '/'))
		return;
	path = option_absolute(o, words->items[0], r);
	free(words->items[0]);
	words->items[0] = path;
}

static int read_command(const struct option *o, const char *text, const struct reading *r,
			void *object, struct err *err)
{
	struct text_list words = { 0 };
	int rc;

	if (words_split(text, &words, err) < 0)
		return -1;
	rc = expand_all(o, &words, r, object, err);
	text_list_fini(&words);
	if (rc == 0)
		locate(o, OPTION_AT(o, object, struct text_list), r);
	return rc;
}

static void print_command(const struct option *o, const void *object, struct str *out)
{
	const struct text_list *words = OPTION_AT_CONST(o, object, struct text_list);

	for (size_t i = 0; i < words->count; i++) {
		str_add(out, i ? " " : "");
		words_quote(words->items[i], out);
	}
}

const struct option_type option_list = { "list", true, read_list, print_list, free_list };
const struct option_type option_lines = { "lines", true, read_lines, print_lines, free_list };
const struct option_type option_command = { "words", true, read_command, print_command, free_list };
