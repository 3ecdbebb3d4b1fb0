#include "config/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/document.h"
#include "config/option.h"
#include "config/understand.h"

struct settings *settings_load(const char *file, struct faults *faults)
{
	struct document *d = document_new();
	size_t before = faults->count;
	struct settings *s;
	const char *slash;

	if (document_read_file(d, file, NULL, NULL, faults) < 0) {
		document_free(d);
		return NULL;
	}
	s = settings_understand(d, d->sources[0], before, faults);
	if (!s)
		return NULL;
	slash = strrchr(file, '/');
	s->file = mem_format("%s/%s", d->sources[0]->here, slash ? slash + 1 : file);
	return s;
}

struct settings *settings_from_stream(FILE *in, const char *name, struct faults *faults)
{
	struct document *d = document_new();
	const struct source *source = document_source(d, name, NULL);
	size_t before = faults->count;

	document_read(d, in, source, faults);
	return settings_understand(d, source, before, faults);
}

struct settings *settings_restore(FILE *in, const char *file, struct faults *faults)
{
	struct document *d = document_new();
	const struct source *source = document_source(d, file ? file : "earlier", NULL);
	size_t before = faults->count;
	struct settings *s;

	document_read(d, in, source, faults);
	presets_take(d);
	s = settings_understand(d, source, before, faults);
	if (s)
		s->file = mem_text(file);
	return s;
}

struct settings *settings_ref(struct settings *s)
{
	if (s)
		s->references++;
	return s;
}

static void socket_free(struct socket_settings *k)
{
	options_fini(options_socket, k);
	free(k->name);
	free(k->addresses);
	free(k);
}

static void program_free(struct program_settings *p)
{
	options_fini(options_program, p);
	free(p->name);
	free(p->groups);
	free(p);
}

void settings_unref(struct settings *s)
{
	if (!s || --s->references)
		return;
	options_fini(options_supervisor, &s->supervisor);
	names_fini(&s->socket_names);
	names_fini(&s->program_names);
	for (size_t i = 0; i < s->socket_count; i++)
		socket_free(s->sockets[i]);
	for (size_t i = 0; i < s->program_count; i++)
		program_free(s->programs[i]);
	free(s->sockets);
	free(s->programs);
	free(s->file);
	document_free(s->owned);
	free(s);
}

const struct program_settings *settings_program(const struct settings *s, const char *name)
{
	return names_find(&s->program_names, name);
}

const struct socket_settings *settings_socket(const struct settings *s, const char *name)
{
	return names_find(&s->socket_names, name);
}

const struct section *settings_section(const struct settings *s, const void *object)
{
	const struct document *d = s->owned;

	for (size_t i = 0; i < d->section_count; i++)
		if (d->sections[i]->object == object)
			return d->sections[i];
	return NULL;
}

const char *settings_default_file(void)
{
	return "/etc/holdport/holdport.conf";
}

char *settings_default_runtime_dir(void)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return mem_text("/run/holdport");
	if (xdg && *xdg == '/')
		return mem_format("%s/holdport", xdg);
	return mem_format("/tmp/holdport-%lu", (unsigned long)geteuid());
}
