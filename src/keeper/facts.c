#include "keeper/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void fact_begin(struct str *out, const char *word)
{
	str_add(out, word);
}

enum { DIGITS = 20 };

/* There are some thirty to a worker: printf(3) would be most of what writing costs. */
static void add_digits(struct str *out, uint64_t value)
{
	char digits[DIGITS], *at = digits + DIGITS;

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	str_add_n(out, at, (size_t)(digits + DIGITS - at));
}

static void add_key(struct str *out, const char *key)
{
	str_add_n(out, " ", 1);
	str_add(out, key);
	str_add_n(out, "=", 1);
}

void fact_number(struct str *out, const char *key, int64_t value)
{
	add_key(out, key);
	if (value < 0)
		str_add_n(out, "-", 1);
	add_digits(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void fact_text(struct str *out, const char *key, const char *value)
{
	if (!value)
		return;
	add_key(out, key);
	str_add_n(out, "\"", 1);
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '"' || c == '\\')
			str_addf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			str_addf(out, "\\x%02x", c);
		else
			str_add_n(out, value, 1);
	}
	str_add(out, "\"");
}

void fact_end(struct str *out)
{
	str_add(out, "\n");
}

/* From at on to end; to is where the next character of what was read goes: a fact is no
 * longer than its line, so one piece of memory has all of it. */
struct reader {
	const char *at, *end;
	char *to;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static char *finish(struct reader *r, char *from)
{
	*r->to++ = '\0';
	return from;
}

/* NULL: there is none here. */
static char *take_word(struct reader *r)
{
	char *from = r->to;

	while (r->at < r->end && is_word(*r->at))
		*r->to++ = *r->at++;
	return r->to > from ? finish(r, from) : NULL;
}

static bool take(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What follows a backslash; -1: nothing that we write. */
static int take_escape(struct reader *r)
{
	int high, low;

	if (r->at == r->end)
		return -1;
	if (*r->at != 'x')
		return (unsigned char)*r->at++;
	if (r->end - r->at < 3 || (high = digit(r->at[1])) < 0 || (low = digit(r->at[2])) < 0)
		return -1;
	r->at += 3;
	return high * 16 + low;
}

static char *take_quoted(struct reader *r)
{
	char *from = r->to;

	while (r->at < r->end && *r->at != '"') {
		int c = (unsigned char)*r->at++;

		if (c == '\\')
			c = take_escape(r);
		if (c <= 0)
			return NULL;
		*r->to++ = (char)c;
	}
	return take(r, '"') ? finish(r, from) : NULL;
}

static char *take_value(struct reader *r)
{
	char *from = r->to;

	if (take(r, '"'))
		return take_quoted(r);
	while (r->at < r->end && *r->at != ' ')
		*r->to++ = *r->at++;
	return finish(r, from);
}

static int take_pair(struct reader *r, struct fact *f)
{
	struct fact_pair p = { .key = take_word(r) };

	if (p.key && take(r, '='))
		p.value = take_value(r);
	if (!p.value)
		return -1;
	f->pairs[f->count++] = p;
	return 0;
}

/* No pair is without a sign, though a sign may stand in a text. */
static size_t pairs_most(const char *line, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += line[i] == '=';
	return count;
}

int fact_read(const char *line, size_t length, struct fact *ret)
{
	size_t most = pairs_most(line, length);
	struct fact f = { .pairs = mem_grow(NULL, most * sizeof(*f.pairs) + length + 2, 1) };
	struct reader r = { line, line + length, (char *)(f.pairs + most) };
	bool well = (f.word = take_word(&r));

	while (well && r.at < r.end)
		well = take(&r, ' ') && take_pair(&r, &f) == 0;
	if (!well) {
		fact_fini(&f);
		return -1;
	}
	*ret = f;
	return 0;
}

void fact_fini(struct fact *f)
{
	free(f->pairs);
	*f = (struct fact){ 0 };
}

bool fact_is(const struct fact *f, const char *word)
{
	return strcmp(f->word, word) == 0;
}

/* There are some thirty pairs to a worker, and each is asked for: most differ in their first
 * character. */
const char *fact_get(const struct fact *f, const char *key)
{
	for (size_t i = 0; i < f->count; i++)
		if (*f->pairs[i].key == *key && strcmp(f->pairs[i].key, key) == 0)
			return f->pairs[i].value;
	return NULL;
}

int64_t fact_int(const struct fact *f, const char *key, int64_t otherwise)
{
	const char *text = fact_get(f, key);
	char *end;
	int64_t value = text ? (int64_t)strtoll(text, &end, 10) : 0;

	return text && *text && !*end ? value : otherwise;
}

bool fact_bool(const struct fact *f, const char *key)
{
	return fact_int(f, key, 0) == 1;
}
