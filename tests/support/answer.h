/* An HTTP answer as it arrives: is it whole yet, and what does it say?
 *
 * The bytes are kept until the answer is whole; answers of tests are small. */
#ifndef HOLDPORT_SUPPORT_ANSWER_H
#define HOLDPORT_SUPPORT_ANSWER_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum answer_ends { ENDS_WITH_CONNECTION, ENDS_AFTER_LENGTH, ENDS_WITH_LAST_CHUNK };

struct answer {
	char *text;			/* always ends in a NUL */
	size_t length, room;
	size_t head;			/* where the body begins; 0: not yet known */
	enum answer_ends ends;
	size_t body_length;		/* ENDS_AFTER_LENGTH */
	int status;
	bool closes;			/* the server said Connection: close */
};

static inline void answer_clear(struct answer *a)
{
	free(a->text);
	*a = (struct answer){ 0 };
}

static inline void answer_add(struct answer *a, const char *bytes, size_t n)
{
	if (a->length + n + 1 > a->room) {
		a->room = (a->length + n + 1) * 2;
		a->text = realloc(a->text, a->room);
		if (!a->text)
			abort();
	}
	memcpy(a->text + a->length, bytes, n);
	a->length += n;
	a->text[a->length] = '\0';
}

static inline const char *answer_header(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	return line + n + 1 + strspn(line + n + 1, " \t");
}

static inline void answer_read_head(struct answer *a, const char *end)
{
	if (sscanf(a->text, "HTTP/1.%*1d %d", &a->status) != 1)
		a->status = -1;
	a->closes = !strncmp(a->text, "HTTP/1.0", 8);
	for (const char *line = a->text; line < end; line = strstr(line, "\r\n") + 2) {
		const char *value;

		if ((value = answer_header(line, "Content-Length"))) {
			a->ends = ENDS_AFTER_LENGTH;
			a->body_length = strtoul(value, NULL, 10);
		} else if ((value = answer_header(line, "Transfer-Encoding"))) {
			a->ends = ENDS_WITH_LAST_CHUNK;
		} else if ((value = answer_header(line, "Connection"))) {
			a->closes = !strncasecmp(value, "close", 5);
		}
	}
	a->head = (size_t)(end - a->text) + 4;
}

static inline bool answer_has_last_chunk(const struct answer *a)
{
	size_t at = a->head;

	while (at < a->length) {
		char *rest;
		size_t size = strtoul(a->text + at, &rest, 16);
		const char *line_end = strstr(rest, "\r\n");

		if (!line_end)
			return false;
		if (size == 0)
			return strstr(line_end, "\r\n\r\n");
		at = (size_t)(line_end - a->text) + 2 + size + 2;
	}
	return false;
}

/* `ended`: the server closed the connection in good order. */
static inline bool answer_is_whole(struct answer *a, bool ended)
{
	const char *end;

	if (!a->head && a->text && (end = strstr(a->text, "\r\n\r\n")))
		answer_read_head(a, end);
	if (!a->head)
		return false;
	if (a->ends == ENDS_AFTER_LENGTH)
		return a->length >= a->head + a->body_length;
	if (a->ends == ENDS_WITH_LAST_CHUNK)
		return answer_has_last_chunk(a);
	return ended;
}

/* The first word of the body. */
static inline void answer_word(const struct answer *a, char *ret, size_t size)
{
	const char *body = a->text + a->head;
	size_t n;

	if (a->ends == ENDS_WITH_LAST_CHUNK && strstr(body, "\r\n"))
		body = strstr(body, "\r\n") + 2;
	n = strcspn(body, " \t\r\n");
	snprintf(ret, size, "%.*s", (int)n, body);
}

#endif
