#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *there(void *p)
{
	static const char word[] = "holdport: out of memory\n";

	if (p)
		return p;
	(void)!write(STDERR_FILENO, word, sizeof(word) - 1);
	abort();
}

void *mem_new(size_t size)
{
	return there(calloc(1, size ? size : 1));
}

void *mem_grow(void *old, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return there(NULL);
	return there(realloc(old, count && size ? count * size : 1));
}

char *mem_text(const char *text)
{
	return text ? there(strdup(text)) : NULL;
}

char *mem_text_n(const char *text, size_t length)
{
	return there(strndup(text, length));
}

char *mem_format(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return there(text);
}

char **mem_words(char *const *words, size_t front)
{
	size_t count = 0;
	char **all;

	while (words[count])
		count++;
	all = mem_grow(NULL, front + count + 1, sizeof(*all));
	memcpy(all + front, words, (count + 1) * sizeof(*all));
	return all;
}
