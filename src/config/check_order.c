/* after = NAMES: each exists, and somebody can be the first. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "config/nearest.h"
#include "config/understand.h"

enum { UNSEEN, ON_PATH, DONE };

/* Through what each waits for, in depth. */
struct walk {
	const struct settings *settings;
	struct faults *faults;
	unsigned char *seen;		/* by position, as path */
	size_t *path, depth;
};

static void fault(const struct walk *w, const struct program_settings *p, const char *text)
{
	const struct section *s = settings_section(w->settings, p);

	faults_add(w->faults, s->place.file, section_line_of(s, "after"), "after: %s", text);
}

static void no_such_program(const struct walk *w, const struct program_settings *p,
			    const char *name)
{
	struct text_list known = { 0 };
	char hint[NEAREST_SIZE];
	char *text;

	for (size_t i = 0; i < w->settings->program_count; i++)
		if (w->settings->programs[i] != p)
			text_list_add(&known, w->settings->programs[i]->name);
	text = mem_format("there is no [program:%.80s]%s", name, nearest_hint(name, &known, hint));
	fault(w, p, text);
	free(text);
	text_list_fini(&known);
}

/* The last one on the path waits for one before it. */
static void tell_circle(const struct walk *w, size_t first)
{
	const struct program_settings *last = w->settings->programs[w->path[w->depth - 1]];
	struct str text = { 0 };
	size_t at = 0;

	while (w->path[at] != first)
		at++;
	if (at == w->depth - 1) {
		fault(w, last, "it waits for itself");
		return;
	}
	str_addf(&text, "%s waits for ", last->name);
	for (; at < w->depth - 1; at++)
		str_addf(&text, "%s, which waits for ",
			 w->settings->programs[w->path[at]]->name);
	str_addf(&text, "%s: none of them can be the first", last->name);
	fault(w, last, str_text(&text));
	str_fini(&text);
}

static size_t position(const struct settings *s, const char *name)
{
	const struct program_settings *p = settings_program(s, name);
	size_t i = p ? 0 : s->program_count;

	while (i < s->program_count && s->programs[i] != p)
		i++;
	return i;
}

static void visit(struct walk *w, size_t at)
{
	const struct program_settings *p = w->settings->programs[at];

	w->seen[at] = ON_PATH;
	w->path[w->depth++] = at;
	for (size_t i = 0; i < p->after.count; i++) {
		size_t next = position(w->settings, p->after.items[i]);

		if (next == w->settings->program_count)
			no_such_program(w, p, p->after.items[i]);
		else if (w->seen[next] == ON_PATH)
			tell_circle(w, next);
		else if (w->seen[next] == UNSEEN)
			visit(w, next);
	}
	w->depth--;
	w->seen[at] = DONE;
}

void check_order(const struct settings *s, struct faults *faults)
{
	struct walk w = { .settings = s, .faults = faults };

	w.seen = mem_new(s->program_count + 1);
	w.path = mem_grow(NULL, s->program_count + 1, sizeof(*w.path));
	for (size_t i = 0; i < s->program_count; i++)
		if (w.seen[i] == UNSEEN)
			visit(&w, i);
	free(w.seen);
	free(w.path);
}
