#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void make_room(struct str *s, size_t more)
{
	size_t want = s->length + more + 1;

	if (want <= s->room)
		return;
	s->room = want < 64 ? 64 : want * 2;
	s->data = mem_grow(s->data, s->room, 1);
}

void str_add_char(struct str *s, char c)
{
	make_room(s, 1);
	s->data[s->length++] = c;
	s->data[s->length] = '\0';
}

void str_add_n(struct str *s, const char *bytes, size_t length)
{
	make_room(s, length);
	memcpy(s->data + s->length, bytes, length);
	s->length += length;
	s->data[s->length] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_add_n(s, text, strlen(text));
}

void str_addf(struct str *s, const char *format, ...)
{
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length > 0) {
		make_room(s, (size_t)length);
		(void)vsnprintf(s->data + s->length, (size_t)length + 1, format, again);
		s->length += (size_t)length;
	}
	va_end(again);
}

void str_clear(struct str *s)
{
	s->length = 0;
	if (s->data)
		s->data[0] = '\0';
}

void str_cut(struct str *s, size_t from_front)
{
	if (from_front >= s->length) {
		str_clear(s);
		return;
	}
	s->length -= from_front;
	memmove(s->data, s->data + from_front, s->length + 1);
}

const char *str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

char *str_take(struct str *s)
{
	char *text = s->data ? s->data : mem_text("");

	*s = (struct str){ 0 };
	return text;
}

/* By words: a byte at a time this would be a tenth of what a recovery costs.  The shift lets
 * high bits reach the low ones, which a product alone does not. */
uint64_t str_digest(const struct str *s)
{
	uint64_t digest = 0xcbf29ce484222325 ^ s->length, word;

	for (size_t i = 0, size; i < s->length; i += size) {
		size = s->length - i < sizeof(word) ? s->length - i : sizeof(word);
		word = 0;
		memcpy(&word, s->data + i, size);
		digest = (digest ^ word) * 0x9e3779b97f4a7c15;
		digest ^= digest >> 32;
	}
	return digest;
}

void str_fini(struct str *s)
{
	free(s->data);
	*s = (struct str){ 0 };
}

/* The length of the UTF-8 character at p (RFC 3629), 0 if it is none that may
 * be shown: overlong, a surrogate, a C1 control, cut off. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char low, high;	/* of the first byte */
		unsigned char second_low, second_high;
		unsigned char length;
	} forms[] = {
		{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].low || p[0] > forms[i].high)
			continue;
		if (left < forms[i].length || p[1] < forms[i].second_low ||
		    p[1] > forms[i].second_high)
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

void str_add_escaped(struct str *s, const char *bytes, size_t length)
{
	const unsigned char *p = (const unsigned char *)bytes;

	while (length) {
		size_t n = *p >= 0x20 && *p < 0x7f ? 1 : utf8_length(p, length);

		if (*p == '\\')
			str_add(s, "\\\\");
		else if (n)
			str_add_n(s, (const char *)p, n);
		else
			str_addf(s, "\\x%02x", *p);
		n = n ? n : 1;
		p += n;
		length -= n;
	}
}
