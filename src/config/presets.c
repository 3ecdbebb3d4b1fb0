/* From the presets of whoever wrote settings down to ours. */
#include <string.h>

#include "config/option.h"
#include "config/understand.h"

/* The kind whose presets these are; NULL: it is a section like others. */
static const char *kind_of(const struct section *s)
{
	size_t length = sizeof(PRESETS_OF) - 1;

	return strncmp(s->kind, PRESETS_OF, length) == 0 ? s->kind + length : NULL;
}

static void say(struct document *d, const char *kind, const struct entry *e)
{
	for (size_t i = 0; i < d->section_count; i++) {
		struct section *s = d->sections[i];

		if (strcmp(s->kind, kind) == 0 && !section_find(s, e->key))
			section_entry(s, e->key, e->value, e->line);
	}
}

static void take(struct document *d, const struct section *presets)
{
	const struct section_kind *k = section_kind(kind_of(presets));
	const struct option *ours;

	for (size_t i = 0; k && i < presets->entry_count; i++) {
		ours = option_find(k->options, presets->entries[i].key);
		if (ours && strcmp(ours->preset, presets->entries[i].value) != 0)
			say(d, k->word, &presets->entries[i]);
	}
}

void presets_take(struct document *d)
{
	for (size_t i = 0; i < d->section_count;) {
		if (kind_of(d->sections[i])) {
			take(d, d->sections[i]);
			document_drop(d, i);
		} else {
			i++;
		}
	}
}
