/* Asked before an upgrade: could we go on from this state? */
#include <stdio.h>
#include <stdlib.h>

#include "supervisor/preflight.h"
#include "supervisor/supervisor.h"

static int refuse(const char *why)
{
	(void)fprintf(stderr, "%s\n", why);
	return EXIT_FAILED;
}

static int refuse_settings(const struct faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		(void)refuse(faults->items[i].text);
	return EXIT_FAILED;
}

/* All that is in force, and all that still serves somewhere. */
static int read_all_settings(const struct snapshot *s)
{
	struct faults faults = { 0 };
	int code = EXIT_ORDERLY;

	list_each(b, &s->settings, struct snapshot_block, node) {
		struct settings *settings = recall_settings(b, &faults);

		if (!settings)
			code = refuse_settings(&faults);
		settings_unref(settings);
		faults_fini(&faults);
	}
	return code;
}

static int judge(const struct snapshot *s)
{
	if (!s->supervisor.word ||
	    !snapshot_settings(s, fact_int(&s->supervisor, "settings", 0)))
		return refuse("it does not say what is in force");
	return read_all_settings(s);
}

int preflight_answer(int fd)
{
	size_t length = 0;
	char *text = journal_read(fd, &length);
	struct snapshot s;
	struct err err;
	int code;

	if (!text)
		return refuse("the state cannot be read");
	code = snapshot_read(text, length, &s, &err) < 0 ? refuse(err.text) : EXIT_ORDERLY;
	free(text);
	if (code)
		return code;
	code = judge(&s);
	snapshot_fini(&s);
	if (!code)
		(void)puts("holdport " HOLDPORT_VERSION);
	return fflush(stdout) == 0 ? code : EXIT_FAILED;
}
