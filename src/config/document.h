/* What stands in a configuration file, not yet understood: sections, keys,
 * values, and where each of them stands.
 *
 * Included files are part of it, behind the file that includes them.  The
 * places that settings hand out point into the document, so it lives as long. */
#ifndef HOLDPORT_CONFIG_DOCUMENT_H
#define HOLDPORT_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stdio.h>

#include "config/settings.h"

/* A file that was read. */
struct source {
	char *name;		/* as the user named it, or as reached from there */
	char *here;		/* absolute: the directory it stands in */
	dev_t device;
	ino_t inode;
	const struct source *included_by;	/* NULL: the main file */
};

struct entry {
	char *key, *value;
	unsigned line;
};

struct section {
	char *kind;		/* "program" of [program:web] */
	char *name;		/* "web"; NULL: written without a colon */
	struct place place;
	const struct source *source;
	struct entry *entries;
	size_t entry_count;
	size_t hash;		/* of kind and name */
	bool damaged;		/* a line of it could not be read: a key may be missing for that */
	void *object;		/* the settings that it was read into, NULL while unread */
};

struct document {
	struct source **sources;
	size_t source_count;
	struct section **sections;
	size_t section_count;
};

struct document *document_new(void);
void document_free(struct document *d);

/* file is a name for messages and, by its directory, for what is relative. */
struct source *document_source(struct document *d, const char *file,
			       const struct source *included_by);
struct section *document_section(struct document *d, const struct source *source,
				 const char *title, unsigned line);
void document_drop(struct document *d, size_t section);
void section_entry(struct section *s, const char *key, const char *value, unsigned line);
/* NULL if the key is not in the section. */
const struct entry *section_find(const struct section *s, const char *key);
/* Where a key stands, or the section if it does not. */
unsigned section_line_of(const struct section *s, const char *key);

/* Adds what stands in the stream; faults are those of reading, not of meaning. */
void document_read(struct document *d, FILE *in, const struct source *source,
		   struct faults *faults);
/* The same for a file and all that it includes; -1: it cannot be opened, is
 * not safe, or includes itself (a fault was added at `at`, or at the file). */
int document_read_file(struct document *d, const char *file, const struct source *included_by,
		       const struct place *at, struct faults *faults);

#endif
