#include "config/understand.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/nearest.h"
#include "config/option.h"

static void unknown_section(const struct section *s, struct faults *faults)
{
	struct text_list known = { 0 };
	char hint[NEAREST_SIZE];

	for (const struct section_kind *k = section_kinds; k->word; k++)
		text_list_add(&known, k->word);
	nearest_hint(s->kind, &known, hint);
	faults_add(faults, s->place.file, s->place.line, "unknown section [%s%s%s]%s", s->kind,
		   s->name ? ":" : "", s->name ? s->name : "",
		   *hint ? hint
			 : "; there are [supervisor], [include], [socket:NAME], [program:NAME]");
	text_list_fini(&known);
}

static bool is_name(const char *name)
{
	if (!*name || *name == '.' || *name == '-')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
			return false;
	return true;
}

/* NULL, with a fault, for a section that is none of the kinds or ill named. */
static const struct section_kind *kind_of(const struct section *s, struct faults *faults)
{
	const struct section_kind *k = section_kind(s->kind);

	if (!k) {
		unknown_section(s, faults);
		return NULL;
	}
	if (!k->named && s->name)
		faults_add(faults, s->place.file, s->place.line,
			   "[%s:%s]: this section has no name; write [%s]", k->word, s->name,
			   k->word);
	else if (k->named && (!s->name || !is_name(s->name)))
		faults_add(faults, s->place.file, s->place.line,
			   "[%s%s%s]: write [%s:NAME], NAME of letters, digits, \"_\", \".\" and "
			   "\"-\", not beginning with \".\" or \"-\"",
			   k->word, s->name ? ":" : "", s->name ? s->name : "", k->word);
	else
		return k;
	return NULL;
}

static bool key_not_yet(const struct section_kind *k, const char *key)
{
	for (const char *const *n = k->not_yet; *n; n++)
		if (strcmp(*n, key) == 0)
			return true;
	return false;
}

static void check_key(const struct section_kind *k, const struct section *s,
		      const struct entry *e, struct faults *faults)
{
	struct text_list known = { 0 };
	char hint[NEAREST_SIZE];

	if (option_find(k->options, e->key))
		return;
	if (key_not_yet(k, e->key)) {
		faults_add(faults, s->place.file, e->line, "%s: not in this version", e->key);
		return;
	}
	for (const struct option *o = k->options; o->key; o++)
		text_list_add(&known, o->key);
	for (const char *const *n = k->not_yet; *n; n++)
		text_list_add(&known, *n);
	faults_add(faults, s->place.file, e->line, "unknown key \"%s\" in [%s%s%s]%s", e->key,
		   k->word, k->named ? ":" : "", k->named ? s->name : "",
		   nearest_hint(e->key, &known, hint));
	text_list_fini(&known);
}

/* An [include] belongs to its file; all others are one for the whole. */
static const struct section *same_before(const struct document *d, size_t index)
{
	const struct section *s = d->sections[index];

	for (size_t i = 0; i < index; i++) {
		const struct section *o = d->sections[i];

		if (o->hash == s->hash && strcmp(o->kind, s->kind) == 0 &&
		    (o->source == s->source || strcmp(s->kind, "include") != 0) &&
		    strcmp(o->name ? o->name : "", s->name ? s->name : "") == 0)
			return o;
	}
	return NULL;
}

static void add_object(void ***list, size_t *count, void *object)
{
	*list = mem_grow(*list, *count + 1, sizeof(void *));
	(*list)[(*count)++] = object;
}

/* What the sections of each kind begin with. */
struct beginnings {
	struct supervisor_settings *supervisor;
	struct socket_settings *socket;
	struct program_settings *program;
};

static void beginnings_init(struct beginnings *b)
{
	b->supervisor = options_presets(options_supervisor, sizeof(*b->supervisor));
	b->socket = options_presets(options_socket, sizeof(*b->socket));
	b->program = options_presets(options_program, sizeof(*b->program));
}

static void beginnings_fini(struct beginnings *b)
{
	free(b->supervisor);
	free(b->socket);
	free(b->program);
}

/* Room for what a section of this kind is read into; NULL: nothing to keep. */
static void *object_for(struct settings *s, const struct beginnings *b,
			const struct section_kind *k, const struct section *from)
{
	struct socket_settings *socket;
	struct program_settings *program;

	if (k->options == options_supervisor) {
		s->supervisor = *b->supervisor;
		s->supervisor.read_gid = s->supervisor.change_gid = (gid_t)-1;
		return &s->supervisor;
	}
	if (k->options == options_socket) {
		socket = MEM_NEW(struct socket_settings);
		*socket = *b->socket;
		socket->whole = s;
		socket->name = mem_text(from->name);
		socket->place = from->place;
		socket->uid = (uid_t)-1;
		socket->gid = (gid_t)-1;
		socket->worker_uid = (uid_t)-1;
		add_object((void ***)&s->sockets, &s->socket_count, socket);
		names_put(&s->socket_names, socket->name, socket);
		return socket;
	}
	if (k->options == options_program) {
		program = MEM_NEW(struct program_settings);
		*program = *b->program;
		program->name = mem_text(from->name);
		program->place = from->place;
		add_object((void ***)&s->programs, &s->program_count, program);
		names_put(&s->program_names, program->name, program);
		return program;
	}
	return NULL;
}

/* nginx and php-fpm end gracefully on QUIT; on TERM they drop their connections. */
static void ladder_of_handoff(const struct section *s)
{
	struct program_settings *p = s->object;
	const struct reading nowhere = { .here = "/", .program = s->name };

	if (p->handoff & (HANDOFF_NGINX | HANDOFF_PHP_FPM) && !section_find(s, "stop"))
		(void)option_read(option_find(options_program, "stop"), "QUIT:30s KILL", &nowhere,
				  p, NULL);
}

static void understand_section(struct settings *s, const struct beginnings *b,
			       struct document *d, size_t index, struct faults *faults)
{
	struct section *section = d->sections[index];
	const struct section_kind *k = kind_of(section, faults);
	const struct section *before;

	if (!k)
		return;
	before = same_before(d, index);
	if (before)
		faults_add(faults, section->place.file, section->place.line,
			   "[%s%s%s] stands in %s:%u already; a section stands once", section->kind,
			   section->name ? ":" : "", section->name ? section->name : "",
			   before->place.file, before->place.line);
	for (size_t i = 0; i < section->entry_count; i++)
		check_key(k, section, &section->entries[i], faults);
	section->object = before ? NULL : object_for(s, b, k, section);
	if (section->object)
		options_read(k->options, section, section->object, faults);
	if (section->object && k->options == options_program)
		ladder_of_handoff(section);
}

struct settings *settings_understand(struct document *d, const struct source *main_source,
				     size_t before, struct faults *faults)
{
	struct settings *s = MEM_NEW(struct settings);
	struct beginnings b;
	bool supervisor = false;

	s->references = 1;
	s->owned = d;
	for (size_t i = 0; i < d->section_count; i++)
		supervisor |= strcmp(d->sections[i]->kind, "supervisor") == 0;
	if (!supervisor)
		(void)document_section(d, main_source, "supervisor", 0);
	beginnings_init(&b);
	for (size_t i = 0; i < d->section_count; i++)
		understand_section(s, &b, d, i, faults);
	beginnings_fini(&b);
	if (!s->supervisor.runtime_dir)
		s->supervisor.runtime_dir = settings_default_runtime_dir();
	settings_check(s, faults);
	if (faults->count == before)
		return s;
	faults_sort(faults, before);
	settings_unref(s);
	return NULL;
}
