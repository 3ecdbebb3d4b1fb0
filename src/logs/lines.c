#include "logs/lines.h"

#include <string.h>

size_t lines_piece(const char *bytes, size_t count, bool rest)
{
	const char *end = memchr(bytes, '\n', count < LINES_MOST ? count : LINES_MOST);

	if (end)
		return (size_t)(end - bytes) + 1;
	if (count >= LINES_MOST)
		return LINES_MOST;
	return rest ? count : 0;
}

/* Is a newline to be added to what is no whole line?  Raw bytes are cut anywhere. */
static bool wants_end(const struct lines_form *form, const char *line, size_t length, bool last)
{
	return line[length - 1] != '\n' && (*form->front || (form->rest && last));
}

size_t lines_take(const struct lines_form *form, const char *bytes, size_t count,
		  struct str *out, size_t *ret_lines)
{
	size_t front = strlen(form->front), before = out->length, done = 0, length;

	while (done < count && (length = lines_piece(bytes + done, count - done, form->rest)) > 0) {
		const char *line = bytes + done;
		bool end = wants_end(form, line, length, done + length == count);

		if (done && out->length - before + front + length + end > form->most)
			break;
		str_add_n(out, form->front, front);
		str_add_n(out, line, length);
		if (end)
			str_add_n(out, "\n", 1);
		done += length;
		(*ret_lines)++;
	}
	return done;
}

size_t lines_whole(const char *bytes, size_t count)
{
	const char *end = memrchr(bytes, '\n', count);

	if (end)
		return (size_t)(end - bytes) + 1;
	return count - count % LINES_MOST;
}

size_t lines_span(const char *bytes, size_t count, size_t most, size_t *ret_lines)
{
	size_t done = 0;

	for (*ret_lines = 0; *ret_lines < most && done < count; (*ret_lines)++)
		done += lines_piece(bytes + done, count - done, true);
	return done;
}

size_t lines_count(const char *bytes, size_t count)
{
	const char *at = bytes, *end = bytes + count;
	size_t lines = 0;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		lines++;
		at++;
	}
	return lines;
}
