#include "config/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* The length of a $$ or ${…} at p, 0 if there is none. */
static size_t dollar_length(const char *p)
{
	const char *end;

	if (p[0] != '$')
		return 0;
	if (p[1] == '$')
		return 2;
	end = p[1] == '{' ? strchr(p, '}') : NULL;
	return end ? (size_t)(end - p) + 1 : 0;
}

/* One step inside a word: copies what p stands for, returns what follows.  In
 * double quotes a backslash means something only before ", \ and a new line. */
static const char *step(const char *p, char quote, struct str *word)
{
	size_t dollar = dollar_length(p);

	if (dollar) {
		str_add_n(word, p, dollar);
		return p + dollar;
	}
	if (*p == '\\' && p[1] && quote != '\'' && (!quote || strchr("\"\\\n", p[1]))) {
		if (p[1] != '\n')
			str_add_n(word, p + 1, 1);
		return p + 2;
	}
	str_add_n(word, p, 1);
	return p + 1;
}

/* From the first character of a word to behind its last; NULL: the quote in
 * *ret_open was never closed. */
static const char *one_word(const char *p, struct str *word, char *ret_open)
{
	char quote = 0;

	while (*p && (quote || !isspace((unsigned char)*p))) {
		if (quote && *p == quote) {
			quote = 0;
			p++;
		} else if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p++;
		} else {
			p = step(p, quote, word);
		}
	}
	*ret_open = quote;
	return quote ? NULL : p;
}

int words_split(const char *text, struct text_list *ret, struct err *err)
{
	struct text_list words = { 0 };
	struct str word = { 0 };
	char open = 0;

	for (const char *p = text;;) {
		while (isspace((unsigned char)*p))
			p++;
		if (!*p)
			break;
		p = one_word(p, &word, &open);
		if (!p) {
			str_fini(&word);
			text_list_fini(&words);
			return err_set(err, 0, "a quote (%c) is opened and not closed", open);
		}
		text_list_add_owned(&words, str_take(&word));
	}
	*ret = words;
	return 0;
}

static bool plain(const char *word)
{
	for (const char *p = word; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("%+,-./:=@_^~$(){}[]!*?<>|&;#", *p) &&
		    !((unsigned char)*p & 0x80))
			return false;
	return *word != '\0';
}

void words_quote(const char *word, struct str *out)
{
	if (plain(word)) {
		str_add(out, word);
		return;
	}
	str_add(out, "'");
	for (const char *p = word; *p;) {
		size_t dollar = dollar_length(p);

		if (dollar)
			str_add_n(out, p, dollar);
		else if (*p == '\'')
			str_add(out, "'\\''");
		else
			str_add_n(out, p, 1);
		p += dollar ? dollar : 1;
	}
	str_add(out, "'");
}

void items_split(const char *text, const char *separators, struct text_list *ret)
{
	while (*text) {
		size_t length = strcspn(text, separators);
		const char *from = text, *end = text + length;

		text = *end ? end + 1 : end;
		while (from < end && isspace((unsigned char)*from))
			from++;
		while (end > from && isspace((unsigned char)end[-1]))
			end--;
		if (end > from)
			text_list_add_owned(ret, mem_text_n(from, (size_t)(end - from)));
	}
}

void str_add_dollars(struct str *out, const char *text)
{
	for (; *text; text++)
		str_add_n(out, *text == '$' ? "$$" : text, *text == '$' ? 2 : 1);
}
