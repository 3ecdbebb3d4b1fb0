#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"

int complain(int code, const char *format, ...)
{
	char text[2048];
	struct str line = { 0 };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	str_add(&line, "holdport: ");
	str_add_escaped(&line, text, strlen(text));
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s\n", str_text(&line));
	str_fini(&line);
	return code;
}

int output_finish(int code)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	/* A reader that has seen enough (head, less) is no fault. */
	if (errno == EPIPE)
		return code ? code : OUTCOME_FAILED;
	return complain(OUTCOME_FAILED, "cannot write to standard output%s%s",
			errno ? ": " : "", errno ? strerror(errno) : "");
}

bool output_now(const struct str *text)
{
	(void)fwrite(str_text(text), 1, text->length, stdout);
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* jansson escapes what JSON demands, which leaves out DEL and the controls of
 * Latin-1 (U+0080 to U+009F, two bytes in UTF-8): terminals obey those too. */
void str_add_dump(struct str *s, const json_t *j, size_t flags)
{
	char *text = json_dumps(j, flags | JSON_ENCODE_ANY);
	const unsigned char *p = (const unsigned char *)(text ? text : "null");

	for (; *p; p++)
		if (*p == 0x7f)
			str_add(s, "\\u007F");
		else if (*p == 0xc2 && p[1] < 0xa0)
			str_addf(s, "\\u%04X", *++p);
		else
			str_add_n(s, (const char *)p, 1);
	free(text);
}

int output_json(const json_t *j, size_t flags)
{
	struct str text = { 0 };

	str_add_dump(&text, j, flags);
	(void)printf("%s\n", str_text(&text));
	str_fini(&text);
	return 0;
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

long long json_number(const json_t *object, const char *key)
{
	const json_t *j = json_object_get(object, key);

	return json_is_integer(j) ? (long long)json_integer_value(j) : -1;
}

void str_add_json(struct str *s, const json_t *object, const char *key)
{
	const json_t *j = json_object_get(object, key);

	if (json_is_string(j))
		str_add_escaped(s, json_string_value(j), json_string_length(j));
}
