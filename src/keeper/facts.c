#include "keeper/facts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void fact_begin(struct str *out, const char *word)
{
	str_add(out, word);
}

void fact_number(struct str *out, const char *key, int64_t value)
{
	str_addf(out, " %s=%" PRId64, key, value);
}

void fact_text(struct str *out, const char *key, const char *value)
{
	if (!value)
		return;
	str_addf(out, " %s=\"", key);
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

struct reader {
	const char *at, *end;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* NULL: there is none here. */
static char *take_word(struct reader *r)
{
	const char *from = r->at;

	while (r->at < r->end && is_word(*r->at))
		r->at++;
	return r->at > from ? mem_text_n(from, (size_t)(r->at - from)) : NULL;
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
	struct str value = { 0 };

	str_add(&value, "");
	while (r->at < r->end && *r->at != '"') {
		int c = (unsigned char)*r->at++;
		char byte;

		if (c == '\\')
			c = take_escape(r);
		if (c <= 0) {
			r->at = r->end;
			break;
		}
		byte = (char)c;
		str_add_n(&value, &byte, 1);
	}
	if (take(r, '"'))
		return value.data ? str_take(&value) : mem_text("");
	str_fini(&value);
	return NULL;
}

static char *take_value(struct reader *r)
{
	const char *from = r->at;

	if (take(r, '"'))
		return take_quoted(r);
	while (r->at < r->end && *r->at != ' ')
		r->at++;
	return mem_text_n(from, (size_t)(r->at - from));
}

static int take_pair(struct reader *r, struct fact *f)
{
	struct fact_pair p = { .key = take_word(r) };

	if (p.key && take(r, '='))
		p.value = take_value(r);
	if (!p.value) {
		free(p.key);
		return -1;
	}
	f->pairs = mem_grow(f->pairs, f->count + 1, sizeof(*f->pairs));
	f->pairs[f->count++] = p;
	return 0;
}

int fact_read(const char *line, size_t length, struct fact *ret)
{
	struct reader r = { line, line + length };
	struct fact f = { .word = take_word(&r) };
	bool well = f.word;

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
	for (size_t i = 0; i < f->count; i++) {
		free(f->pairs[i].key);
		free(f->pairs[i].value);
	}
	free(f->pairs);
	free(f->word);
	*f = (struct fact){ 0 };
}

bool fact_is(const struct fact *f, const char *word)
{
	return strcmp(f->word, word) == 0;
}

const char *fact_get(const struct fact *f, const char *key)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->pairs[i].key, key) == 0)
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
