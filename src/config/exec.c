/* The settings of `holdport exec`: a document that nobody wrote, understood
 * like any other. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/understand.h"
#include "config/words.h"

#define SOCKET_NAME "socket"

/* "program:NAME" after the command's last path component. */
static char *title_of(const char *command)
{
	const char *slash = strrchr(command, '/');
	const char *base = slash ? slash + 1 : command;
	char *title = mem_format("program:%s%s", isalnum((unsigned char)*base) ? "" : "_", base);

	for (char *p = title + strlen("program:"); *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
			*p = '_';
	return title;
}

/* As a value that is read as these words: quoted, every dollar doubled. */
static char *command_value(char *const *words)
{
	struct str value = { 0 }, word = { 0 };

	for (; *words; words++) {
		str_clear(&word);
		str_add_dollars(&word, *words);
		str_add(&value, value.length ? " " : "");
		words_quote(str_text(&word), &value);
	}
	str_fini(&word);
	return str_take(&value);
}

static void add_socket(struct document *d, const struct source *source, char *const *addresses)
{
	struct section *s = document_section(d, source, "socket:" SOCKET_NAME, 0);
	struct str listen = { 0 };

	for (; *addresses; addresses++)
		str_addf(&listen, "%s%s", listen.length ? ", " : "", *addresses);
	section_entry(s, "listen", str_text(&listen), 0);
	str_fini(&listen);
}

static void add_options(struct section *s, char *const *options, struct faults *faults)
{
	for (; options && options[0] && options[1]; options += 2) {
		char *key = mem_text(options[0]);

		for (char *p = key; *p; p++)
			*p = *p == '-' ? '_' : *p;
		if (section_find(s, key))
			faults_add(faults, s->place.file, 0, "%s is given twice", key);
		else
			section_entry(s, key, options[1], 0);
		free(key);
	}
}

static void add_runtime_dir(struct document *d, const struct source *source,
			    const char *runtime_dir)
{
	struct section *s = document_section(d, source, "supervisor", 0);
	struct str value = { 0 };

	if (runtime_dir)
		str_add_dollars(&value, runtime_dir);
	section_entry(s, "runtime_dir", str_text(&value), 0);
	str_fini(&value);
}

struct settings *settings_exec(char *const *addresses, char *const *options,
			       char *const *command, const char *runtime_dir,
			       struct faults *faults)
{
	struct document *d = document_new();
	const struct source *source = document_source(d, "command line", NULL);
	char *title = title_of(command[0] ? command[0] : "");
	char *value = command_value(command);
	size_t before = faults->count;
	struct section *program;

	add_runtime_dir(d, source, runtime_dir);
	program = document_section(d, source, title, 0);
	section_entry(program, "command", value, 0);
	if (addresses && *addresses) {
		add_socket(d, source, addresses);
		section_entry(program, "sockets", SOCKET_NAME, 0);
	}
	add_options(program, options, faults);
	free(value);
	free(title);
	return settings_understand(d, source, before, faults);
}
