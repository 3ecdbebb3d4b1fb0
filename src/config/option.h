/* Options as rows.
 *
 * A row is all there is to know about a key: its name, the type and place of
 * its field, its preset as a user would write it, what changing it costs and
 * what it means.  The parser, the checks, `holdport config` in its three
 * forms, conf/holdport.conf and holdport.conf(5) read the same rows. */
#ifndef HOLDPORT_CONFIG_OPTION_H
#define HOLDPORT_CONFIG_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/owner.h"
#include "base/str.h"
#include "config/document.h"
#include "config/settings.h"

/* A word that a value may be, and what it stands for. */
struct option_word {
	const char *word;
	int64_t value;
};

struct option;

/* Where a value is read: what relative paths and ${…} refer to. */
struct reading {
	const char *here;
	const char *program;	/* NULL outside of [program:…] */
};

struct option_type {
	const char *shape;	/* for people: "duration", "yes or no" */
	/* The value consists of items that are expanded one by one, after it was
	 * split; read() does that.  Otherwise text comes expanded. */
	bool splits;
	/* Fills the field of object.  text is never empty unless the preset is. */
	int (*read)(const struct option *o, const char *text, const struct reading *r,
		    void *object, struct err *err);
	/* Adds the field as a user would write it; nothing for "unset". */
	void (*print)(const struct option *o, const void *object, struct str *out);
	void (*fini)(const struct option *o, void *object);	/* NULL: owns nothing */
};

struct option {
	const char *key;	/* NULL ends a table */
	const struct option_type *type;
	size_t offset;
	const char *preset;
	int64_t min, max;	/* of numbers, sizes, durations; max 0: no bounds */
	const struct option_word *words;	/* ended by a NULL word */
	const char *not_yet;	/* words that a later version will know, by blanks */
	int64_t argument;	/* for types that serve several keys */
	enum effect effect;
	bool late;		/* may hold expansions that only a worker's start knows */
	const char *help;
};

/* The offset of a field; a row over a field of another type does not compile. */
#define OPTION_FIELD(owner, field, type) \
	(offsetof(owner, field) + \
	 0 * sizeof(char[_Generic(((owner *)NULL)->field, type: 1, default: -1)]))
#define OPTION_AT(o, object, type) \
	((type *)(void *)((char *)(object) + (o)->offset))
#define OPTION_AT_CONST(o, object, type) \
	((const type *)(const void *)((const char *)(object) + (o)->offset))

extern const struct option_type option_bool,	/* bool */
	option_words,				/* int or an enum; .words */
	option_flag,				/* int64_t: yes, no, unset */
	option_number, option_size, option_duration,	/* int64_t */
	option_mode, option_mask,		/* octal: int, int64_t */
	option_text, option_path,		/* char *; NULL: empty */
	option_list, option_lines, option_command,	/* struct text_list */
	option_fixed;				/* no field: nothing but the preset */

struct include_settings {
	struct text_list files;
};

extern const struct option options_supervisor[], options_include[], options_socket[],
	options_program[];

/* A kind of section. */
struct section_kind {
	const char *word;
	bool named;
	const struct option *options;
	const char *const *not_yet;	/* keys of a later version, ended by NULL */
	size_t size;			/* of the object */
	const char *help;
};
extern const struct section_kind section_kinds[];	/* ended by a NULL word */
extern const char *const socket_not_yet[], *const program_not_yet[], *const supervisor_not_yet[],
	*const include_not_yet[];
const struct section_kind *section_kind(const char *word);

const struct option *option_find(const struct option *options, const char *key);
/* A fresh object, of so many bytes, that has every preset which is the same everywhere and
 * owns nothing.  The caller frees it. */
void *options_presets(const struct option *options, size_t size);
/* Every row: the section's value, or the preset.  object begins as a copy of their presets.
 * Knows nothing of unknown keys. */
void options_read(const struct option *options, const struct section *s, void *object,
		  struct faults *faults);
void options_fini(const struct option *options, void *object);
/* One value into a fresh field. */
int option_read(const struct option *o, const char *text, const struct reading *r, void *object,
		struct err *err);

/* For types: expands early; with o->late what is late stays.  NULL: fault. */
char *option_expand(const struct option *o, const char *text, const struct reading *r,
		    struct err *err);
/* The value of word in o->words; otherwise a fault that names the words. */
int option_word_value(const struct option *o, const char *word, int64_t *ret, struct err *err);
/* Adds text so that it is read again as it is. */
void option_print_text(const struct option *o, const char *text, struct str *out);
/* An absolute path; the caller owns it. */
char *option_absolute(const struct option *o, const char *path, const struct reading *r);

#endif
