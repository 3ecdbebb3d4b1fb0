#include "config/ini_lines.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* What means something to the library inside a line, and the byte that stands
 * for it on the way through.  White space is among it because the library
 * trims every piece.  Control characters are refused in input, so these four
 * cannot be anything else. */
static const char special[] = ";# \t", stand_in[] = "\001\002\003\004";

/* What an indented line would belong to. */
enum before { BEFORE_NOTHING, BEFORE_VALUE, BEFORE_BLANK, BEFORE_FAULT };
/* What the piece that was handed out last is to the handler. */
enum piece { PIECE_KEY, PIECE_CONTINUATION, PIECE_SEAM };

struct ini_lines {
	FILE *in;
	const struct ini_lines_to *to;
	unsigned line;
	enum before before;
	enum piece piece;
	struct str head;	/* "[name]", "key=" or white space: goes before text */
	struct str text;	/* what of this line is still to be handed out */
	bool ready;		/* head and text hold a piece */
	char *key;		/* of the value that is being put together */
	unsigned key_line;
	struct str value;
};

static void fault(struct ini_lines *l, const char *text)
{
	l->before = BEFORE_FAULT;
	l->to->fault(l->to->ctx, l->line, text);
}

static void swap_bytes(char *text, const char *from, const char *to)
{
	for (; *text; text++) {
		const char *at = strchr(from, *text);

		if (at)
			*text = to[at - from];
	}
}

/* Collects a line without its end.  What is wrong with its bytes goes to
 * *ret_wrong; the line is read to its end all the same.  False: no more. */
static bool read_line(struct ini_lines *l, struct str *line, const char **ret_wrong)
{
	int c = getc_unlocked(l->in);

	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = getc_unlocked(l->in)) {
		char byte = (char)c;

		if (c == '\r') {
			c = getc(l->in);
			(void)ungetc(c, l->in);
			if (c == '\n' || c == EOF)
				continue;
			*ret_wrong =
				"a carriage return inside the line; end lines with \\n or \\r\\n";
		} else if (iscntrl((unsigned char)byte) && byte != '\t') {
			*ret_wrong = "a control character or NUL byte; only text can stand here";
		}
		if (line->length >= INI_LINE_MOST)
			*ret_wrong = "the line is longer than 64 KiB; "
				     "continue the value on indented lines";
		else
			str_add_char(line, byte);
	}
	l->line++;
	return true;
}

static void value_done(struct ini_lines *l)
{
	if (l->key)
		l->to->value(l->to->ctx, l->key, str_text(&l->value), l->key_line);
	free(l->key);
	l->key = NULL;
	str_clear(&l->value);
}

/* NULL, or what is wrong with the name of a section or key. */
static const char *name_fault(const char *name)
{
	if (!*name)
		return "a name is missing; write \"[section]\" or \"key = value\"";
	if (strlen(name) > INI_NAME_MOST)
		return "the name is longer than 49 characters";
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.:-", *name))
			return "a name consists of letters, digits, \"_\", \".\" and \"-\"; "
			       "sections are [supervisor], [include], [socket:NAME], "
			       "[program:NAME]";
	return NULL;
}

/* NULL, or what is wrong with a section's line; its name is cut out of text. */
static const char *section_fault(char *text)
{
	char *end = strchr(text, ']');

	if (!end)
		return "\"[\" without \"]\"; a section is written [NAME]";
	if (end[1])
		return "text behind \"]\"; a section stands alone in its line";
	*end = '\0';
	return name_fault(text + 1);
}

static void section_line(struct ini_lines *l, char *text)
{
	const char *wrong = section_fault(text);

	value_done(l);
	l->before = BEFORE_NOTHING;
	l->to->section(l->to->ctx, wrong ? NULL : text + 1, l->line);
	if (wrong) {
		fault(l, wrong);
		return;
	}
	str_addf(&l->head, "[%s]", text + 1);
	l->ready = true;
}

static void trim_end(char *text)
{
	size_t n = strlen(text);

	while (n && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
}

/* "key = value", or "key : value" as the library has it; text is cut. */
static void key_line(struct ini_lines *l, char *text)
{
	char *sign = text + strcspn(text, "=:");
	const char *wrong;

	value_done(l);
	if (!*sign) {
		fault(l, "no \"=\" in the line; write \"key = value\", "
			 "or indent the line to continue the value above");
		return;
	}
	*sign++ = '\0';
	trim_end(text);
	wrong = name_fault(text);
	if (wrong) {
		fault(l, wrong);
		return;
	}
	l->before = BEFORE_VALUE;
	l->piece = PIECE_KEY;
	str_add(&l->head, text);
	str_add(&l->head, "=");
	str_add(&l->text, sign + strspn(sign, " \t"));
	l->ready = true;
}

static void indented_line(struct ini_lines *l, const char *text)
{
	if (l->before == BEFORE_BLANK) {
		fault(l, "an indented line after an empty one; "
			 "a value continues without a gap, a key starts at the left");
		return;
	}
	if (l->before != BEFORE_VALUE)
		return;
	l->piece = PIECE_CONTINUATION;
	str_add(&l->head, "\t");
	str_add(&l->text, text);
	l->ready = true;
}

/* The library leaves out a mark at the start of a file only in its own first
 * line; ours has been taken apart by then. */
static char *skip_mark(struct ini_lines *l, char *text)
{
	return l->line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

static void understand(struct ini_lines *l, char *line)
{
	char *text = skip_mark(l, line);
	bool indented = *text == ' ' || *text == '\t';

	if (*text == ';' || *text == '#')
		return;
	trim_end(text);
	text += strspn(text, " \t");
	if (!*text)
		l->before = l->before == BEFORE_VALUE ? BEFORE_BLANK : l->before;
	else if (indented && l->before != BEFORE_NOTHING)
		indented_line(l, text);
	else if (*text == '[')
		section_line(l, text);
	else
		key_line(l, text);
}

/* Reads on until there is something to hand out; false at the end. */
static bool next_line(struct ini_lines *l)
{
	struct str line = { 0 };

	str_clear(&l->head);
	str_clear(&l->text);
	for (l->ready = false; !l->ready; str_clear(&line)) {
		const char *wrong = NULL;

		if (!read_line(l, &line, &wrong))
			break;
		if (wrong) {
			value_done(l);
			fault(l, wrong);
		} else if (line.length) {
			understand(l, line.data);
		} else {
			l->before = l->before == BEFORE_VALUE ? BEFORE_BLANK : l->before;
		}
	}
	str_fini(&line);
	if (l->text.length)
		swap_bytes(l->text.data, special, stand_in);
	return l->ready;
}

/* The library's reader.  A piece always ends in a new line, which newer
 * versions take for "all of it"; a further piece of the same line begins with
 * white space and so continues the value. */
static char *give_piece(char *buf, int size, void *stream)
{
	struct ini_lines *l = stream;
	size_t room, n;

	if (!l->ready && !next_line(l))
		return NULL;
	room = (size_t)size - l->head.length - 2;
	n = l->text.length < room ? l->text.length : room;
	memcpy(buf, str_text(&l->head), l->head.length);
	memcpy(buf + l->head.length, str_text(&l->text), n);
	memcpy(buf + l->head.length + n, "\n", 2);
	str_cut(&l->text, n);
	l->ready = l->text.length > 0;
	return buf;
}

/* The library's handler: called for the piece that was handed out last. */
static int take_piece(void *user, const char *section, const char *name, const char *value)
{
	struct ini_lines *l = user;
	char *text = mem_text(value);

	(void)section;
	if (l->piece == PIECE_KEY) {
		l->key = mem_text(name);
		l->key_line = l->line;
	} else if (l->piece == PIECE_CONTINUATION) {
		str_add(&l->value, "\n");
	}
	swap_bytes(text, stand_in, special);
	str_add(&l->value, text);
	free(text);
	if (l->ready) {
		l->piece = PIECE_SEAM;
		str_clear(&l->head);
		str_add(&l->head, "\t");
	}
	return 1;
}

void ini_lines_read(FILE *in, const struct ini_lines_to *to)
{
	struct ini_lines l = { .in = in, .to = to };
	int bad = ini_parse_stream(give_piece, &l, take_piece, &l);

	value_done(&l);
	if (bad)
		fault(&l, "inih refuses a line in this file");
	if (ferror(in))
		fault(&l, strerror(errno));
	str_fini(&l.head);
	str_fini(&l.text);
	str_fini(&l.value);
}
