/* check, config, version: what is known without a supervisor. */
#include <stdlib.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "config/settings.h"
#include "process/way.h"

/* The file that is meant, read; *ret_file is the caller's. */
static int load(const struct request *r, char **ret_file, struct settings **ret)
{
	*ret = NULL;
	*ret_file = config_named(r);
	if (!*ret_file)
		return complain(OUTCOME_USAGE, "%s: there is no %s; name a file with -c FILE",
				r->command->name, settings_default_file());
	return config_load(*ret_file, ret);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* No fault of the file: another system, or another user, may well do it. */
static void warn_of_ways(const char *file, const struct settings *s)
{
	struct err why = { 0 };

	for (size_t i = 0; i < s->program_count; i++) {
		const struct program_settings *p = s->programs[i];
		enum way way = p->handoff & HANDOFF_INTERCEPT ? way_of_system(&why) : WAY_SECCOMP;

		if (way != WAY_SECCOMP)
			(void)fprintf(stderr, "%s: warning: program %s: handoff = intercept: %s; %s\n",
				      file, p->name, why.text, way == WAY_PRELOAD
					? "only programs that are linked dynamically can be "
					  "intercepted here, by the preload library"
					: "it could not be started here");
	}
}

int cmd_check(struct request *r)
{
	struct settings *s = NULL;
	char *file;
	int code = load(r, &file, &s);

	if (s)
		warn_of_ways(file, s);
	if (s)
		(void)printf("%s: ok (%zu program%s, %zu socket%s)\n", file, s->program_count,
			     plural(s->program_count), s->socket_count, plural(s->socket_count));
	settings_unref(s);
	free(file);
	return code;
}

int cmd_config(struct request *r)
{
	struct settings *s = NULL;
	char *file;
	int code;

	if (option_given(r, OPTION_REFERENCE)) {
		settings_print_reference(stdout);
		return OUTCOME_DONE;
	}
	if (option_given(r, OPTION_EXAMPLE)) {
		settings_print_example(stdout);
		return OUTCOME_DONE;
	}
	code = load(r, &file, &s);
	if (s)
		settings_print(s, option_given(r, OPTION_DEFAULTS) ? SETTINGS_EVERY_KEY : SETTINGS_CHANGED,
			       stdout);
	settings_unref(s);
	free(file);
	return code;
}

int cmd_version(struct request *r)
{
	if (r && option_given(r, OPTION_JSON))
		(void)puts("{\"version\": \"" HOLDPORT_VERSION "\"}");
	else
		(void)puts("holdport " HOLDPORT_VERSION);
	return OUTCOME_DONE;
}
