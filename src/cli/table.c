#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/owner.h"
#include "cli/output.h"

struct cell {
	char *text;
	enum paint paint;
};

static const char *const escapes[] = {
	[PAINT_NONE] = "",	    [PAINT_HEAD] = "\033[1m", [PAINT_GOOD] = "\033[32m",
	[PAINT_BUSY] = "\033[33m",  [PAINT_BAD] = "\033[31m", [PAINT_DIM] = "\033[2m",
};

enum paint paint_of_state(const char *state)
{
	static const struct {
		const char *state;
		enum paint paint;
	} known[] = {
		{ "running", PAINT_GOOD },  { "serving", PAINT_GOOD },
		{ "current", PAINT_GOOD },  { "listening", PAINT_GOOD },
		{ "failed", PAINT_BAD },    { "backoff", PAINT_BAD },
		{ "stopped", PAINT_DIM },   { "closed", PAINT_DIM },
	};

	for (size_t i = 0; state && i < COUNT(known); i++)
		if (strcmp(state, known[i].state) == 0)
			return known[i].paint;
	return PAINT_BUSY;
}

static void add_cell(struct table *t, enum paint paint, char *text)
{
	t->cells = mem_grow(t->cells, t->count + 1, sizeof(*t->cells));
	t->cells[t->count++] = (struct cell){ .text = text, .paint = paint };
}

void table_text(struct table *t, enum paint paint, const char *text)
{
	struct str clean = { 0 };

	if (text)
		str_add_escaped(&clean, text, strlen(text));
	add_cell(t, paint, str_take(&clean));
}

void table_format(struct table *t, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_text(t, PAINT_NONE, text);
}

void table_head(struct table *t, const char *columns, const char *const *names)
{
	*t = (struct table){ .columns = columns };
	for (size_t i = 0; columns[i]; i++)
		table_text(t, PAINT_HEAD, names[i]);
}

/* In characters: bytes that go on with one do not count. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* 0: nothing stands below the head. */
static size_t column_width(const struct table *t, size_t column, size_t columns)
{
	size_t widest = 0, head = width_of(t->cells[column].text);

	for (size_t i = column + columns; i < t->count; i += columns) {
		size_t width = width_of(t->cells[i].text);

		widest = width > widest ? width : widest;
	}
	return widest && widest < head ? head : widest;
}

static void add_blanks(struct str *s, size_t count)
{
	while (count--)
		str_add(s, " ");
}

/* *owed: blanks that are printed only if something follows them. */
static void print_cell(const struct cell *c, char align, size_t width, bool color, size_t *owed,
		       struct str *out)
{
	size_t fill = width - width_of(c->text);

	if (*c->text) {
		add_blanks(out, *owed + (align == 'r' ? fill : 0));
		color = color && c->paint != PAINT_NONE;
		str_addf(out, "%s%s%s", color ? escapes[c->paint] : "", c->text,
			 color ? "\033[0m" : "");
		*owed = (align == 'r' ? 0 : fill) + 2;
	} else {
		*owed += width + 2;
	}
}

void table_print(const struct table *t, bool color, struct str *out)
{
	size_t columns = strlen(t->columns), owed = 0;
	size_t *widths = mem_grow(NULL, columns, sizeof(*widths));

	for (size_t i = 0; i < columns; i++)
		widths[i] = column_width(t, i, columns);
	for (size_t i = 0; i < t->count; i++) {
		size_t column = i % columns;

		if (widths[column])
			print_cell(&t->cells[i], t->columns[column], widths[column], color, &owed,
				   out);
		if (column == columns - 1) {
			str_add(out, "\n");
			owed = 0;
		}
	}
	free(widths);
}

void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){ 0 };
}
