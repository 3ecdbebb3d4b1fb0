#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/understand.h"

void faults_add(struct faults *f, const char *file, unsigned line, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	f->items = mem_grow(f->items, f->count + 1, sizeof(*f->items));
	f->items[f->count++] = (struct fault){
		.file = mem_text(file),
		.line = line,
		.text = mem_text(text),
	};
}

/* By file and line; what says the same twice stands together. */
static int compare(const void *a, const void *b)
{
	const struct fault *one = a, *other = b;
	int files = strcmp(one->file ? one->file : "", other->file ? other->file : "");

	if (files)
		return files;
	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	return strcmp(one->text, other->text);
}

void faults_sort(struct faults *f, size_t from)
{
	if (f->count > from)
		qsort(f->items + from, f->count - from, sizeof(*f->items), compare);
}

char *fault_text(const struct fault *f)
{
	if (f->file && f->line)
		return mem_format("%s:%u: %s", f->file, f->line, f->text);
	return f->file ? mem_format("%s: %s", f->file, f->text) : mem_text(f->text);
}

void faults_print(const struct faults *f, FILE *out)
{
	for (size_t i = 0; i < f->count; i++) {
		char *line = fault_text(&f->items[i]);
		struct str clean = { 0 };

		/* It quotes what somebody wrote into a file. */
		str_add_escaped(&clean, line, strlen(line));
		(void)fprintf(out, "%s\n", str_text(&clean));
		str_fini(&clean);
		free(line);
	}
}

void faults_fini(struct faults *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].file);
		free(f->items[i].text);
	}
	free(f->items);
	*f = (struct faults){ 0 };
}
