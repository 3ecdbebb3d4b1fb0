/* A text that grows.  Starts empty as { 0 }; always ends in a NUL byte once
 * anything was added; str_fini() accepts one that was never used. */
#ifndef HOLDPORT_BASE_STR_H
#define HOLDPORT_BASE_STR_H

#include <stddef.h>
#include <stdint.h>

struct str {
	char *data;	/* NULL while empty; use str_text() to read */
	size_t length;
	size_t room;
};

void str_add(struct str *s, const char *text);
void str_add_char(struct str *s, char c);
void str_add_n(struct str *s, const char *bytes, size_t length);
void str_addf(struct str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_clear(struct str *s);			/* keeps the room */
void str_cut(struct str *s, size_t from_front);	/* drops the first bytes */
const char *str_text(const struct str *s);	/* "" while empty */
char *str_take(struct str *s);			/* the caller owns it; s is empty again */
void str_fini(struct str *s);

/* Two equal texts have the same; two others have it once in 2^64 (FNV-1a), unless
 * somebody means them to: for texts of our own only. */
uint64_t str_digest(const struct str *s);

/* Adds what an outsider supplied so that it can neither move a terminal's
 * cursor nor end a line: control characters and bytes that are not UTF-8
 * become \xNN, a backslash becomes \\. */
void str_add_escaped(struct str *s, const char *bytes, size_t length);

#endif
