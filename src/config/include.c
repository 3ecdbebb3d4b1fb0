#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/document.h"
#include "config/option.h"
#include "config/unsafe.h"

#define DEPTH_MOST 8

/* NULL, or why this file must not be included here. */
static const char *loops(const struct source *source)
{
	int depth = 0;

	for (const struct source *s = source->included_by; s; s = s->included_by) {
		if (s->inode == source->inode && s->device == source->device)
			return "includes itself";
		if (++depth > DEPTH_MOST)
			return "is included more than 8 files deep";
	}
	return NULL;
}

static void include_one(struct document *d, const char *path, const struct source *by,
			const struct place *at, struct faults *faults)
{
	(void)document_read_file(d, path, by, at, faults);
}

/* A plain name must exist; a pattern may match nothing. */
static void include_item(struct document *d, const char *item, const struct source *by,
			 const struct place *at, struct faults *faults)
{
	const char *slash = strrchr(by->name, '/');
	char *path = item[0] == '/' || !slash
			     ? mem_text(item)
			     : mem_format("%.*s/%s", (int)(slash - by->name), by->name, item);
	glob_t found = { 0 };
	int rc = glob(path, 0, NULL, &found);

	if (rc == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			include_one(d, found.gl_pathv[i], by, at, faults);
	else if (rc != GLOB_NOMATCH)
		faults_add(faults, at->file, at->line, "files: cannot look for \"%s\"", path);
	else if (!item[strcspn(item, "*?[")])
		include_one(d, path, by, at, faults);
	globfree(&found);
	free(path);
}

/* Sections of this file alone: from `first` on, as included files append. */
static void follow(struct document *d, size_t first, struct faults *faults)
{
	size_t end = d->section_count;

	for (size_t i = first; i < end; i++) {
		struct section *s = d->sections[i];
		struct include_settings include = { 0 };
		struct place at;

		if (strcmp(s->kind, "include") != 0 || s->name)
			continue;
		at = (struct place){ s->source->name, section_line_of(s, "files") };
		options_read(options_include, s, &include, faults);
		for (size_t k = 0; k < include.files.count; k++)
			include_item(d, include.files.items[k], s->source, &at, faults);
		options_fini(options_include, &include);
	}
}

int document_read_file(struct document *d, const char *file, const struct source *included_by,
		       const struct place *at, struct faults *faults)
{
	struct source *source = document_source(d, file, included_by);
	FILE *in = fopen(file, "re");
	size_t first = d->section_count;
	const char *wrong = NULL;
	char *where = NULL;
	struct stat st;

	if (!in || fstat(fileno(in), &st) < 0) {
		wrong = strerror(errno);
	} else {
		source->device = st.st_dev;
		source->inode = st.st_ino;
		wrong = S_ISDIR(st.st_mode) ? "is a directory; a file is needed" : file_unsafe(&st);
		wrong = wrong ? wrong : (where = path_unsafe(file));
		wrong = wrong ? wrong : loops(source);
	}
	if (wrong && at)
		faults_add(faults, at->file, at->line, "files: %s: %s", file, wrong);
	else if (wrong)
		faults_add(faults, file, 0, "%s", wrong);
	if (!wrong)
		document_read(d, in, source, faults);
	if (in)
		(void)fclose(in);
	free(where);
	if (wrong)
		return -1;
	follow(d, first, faults);
	return 0;
}
