#include "config/document.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/ini_lines.h"

struct document *document_new(void)
{
	return MEM_NEW(struct document);
}

static void section_free(struct section *s)
{
	for (size_t i = 0; i < s->entry_count; i++) {
		free(s->entries[i].key);
		free(s->entries[i].value);
	}
	free(s->entries);
	free(s->kind);
	free(s->name);
	free(s);
}

void document_free(struct document *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->section_count; i++)
		section_free(d->sections[i]);
	for (size_t i = 0; i < d->source_count; i++) {
		free(d->sources[i]->name);
		free(d->sources[i]->here);
		free(d->sources[i]);
	}
	free(d->sections);
	free(d->sources);
	free(d);
}

/* The directory of a file, absolute as far as the names go: links stay. */
static char *directory_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *cwd, *here;

	if (slash && file[0] == '/')
		return slash == file ? mem_text("/") : mem_text_n(file, (size_t)(slash - file));
	cwd = getcwd(NULL, 0);
	if (!cwd || !slash)
		return cwd ? cwd : mem_text("/");
	while (strncmp(file, "./", 2) == 0 && file < slash)
		file += 2;
	here = file > slash ? mem_text(cwd)
			    : mem_format("%s/%.*s", strcmp(cwd, "/") == 0 ? "" : cwd,
					 (int)(slash - file), file);
	free(cwd);
	return here;
}

struct source *document_source(struct document *d, const char *file,
			       const struct source *included_by)
{
	struct source *s = MEM_NEW(struct source);

	s->name = mem_text(file);
	s->here = directory_of(file);
	s->included_by = included_by;
	d->sources = mem_grow(d->sources, d->source_count + 1, sizeof(struct source *));
	d->sources[d->source_count++] = s;
	return s;
}

struct section *document_section(struct document *d, const struct source *source,
				 const char *title, unsigned line)
{
	const char *colon = strchr(title, ':');
	struct section *s = MEM_NEW(struct section);

	s->kind = colon ? mem_text_n(title, (size_t)(colon - title)) : mem_text(title);
	s->name = colon ? mem_text(colon + 1) : NULL;
	s->hash = names_hash(title);
	s->source = source;
	s->place = (struct place){ source->name, line };
	d->sections = mem_grow(d->sections, d->section_count + 1, sizeof(struct section *));
	d->sections[d->section_count++] = s;
	return s;
}

void document_drop(struct document *d, size_t section)
{
	section_free(d->sections[section]);
	d->section_count--;
	memmove(&d->sections[section], &d->sections[section + 1],
		(d->section_count - section) * sizeof(*d->sections));
}

void section_entry(struct section *s, const char *key, const char *value, unsigned line)
{
	s->entries = mem_grow(s->entries, s->entry_count + 1, sizeof(*s->entries));
	s->entries[s->entry_count++] = (struct entry){
		.key = mem_text(key),
		.value = mem_text(value),
		.line = line,
	};
}

const struct entry *section_find(const struct section *s, const char *key)
{
	for (size_t i = 0; i < s->entry_count; i++)
		if (*s->entries[i].key == *key && strcmp(s->entries[i].key, key) == 0)
			return &s->entries[i];
	return NULL;
}

unsigned section_line_of(const struct section *s, const char *key)
{
	const struct entry *e = section_find(s, key);

	return e ? e->line : s->place.line;
}

/* One reading of one stream. */
struct reading_file {
	struct document *document;
	const struct source *source;
	struct section *section;	/* NULL: before the first, or in an unreadable one */
	bool lost;			/* the latter */
	struct faults *faults;
};

static void on_section(void *ctx, const char *name, unsigned line)
{
	struct reading_file *r = ctx;

	r->lost = !name;
	r->section = name ? document_section(r->document, r->source, name, line) : NULL;
}

static void on_value(void *ctx, const char *key, const char *value, unsigned line)
{
	struct reading_file *r = ctx;
	const struct entry *before;

	if (!r->section) {
		if (!r->lost)
			faults_add(r->faults, r->source->name, line,
				   "\"%s\" stands in no section; a section such as [program:web] "
				   "comes first",
				   key);
		return;
	}
	before = section_find(r->section, key);
	if (before)
		faults_add(r->faults, r->source->name, line,
			   "\"%s\" was given in line %u already; a key stands once in a section",
			   key, before->line);
	else
		section_entry(r->section, key, value, line);
}

static void on_fault(void *ctx, unsigned line, const char *text)
{
	struct reading_file *r = ctx;

	if (r->section)
		r->section->damaged = true;
	faults_add(r->faults, r->source->name, line, "%s", text);
}

void document_read(struct document *d, FILE *in, const struct source *source,
		   struct faults *faults)
{
	struct reading_file r = { .document = d, .source = source, .faults = faults };

	ini_lines_read(in, &(struct ini_lines_to){ on_section, on_value, on_fault, &r });
}
