#include <string.h>

#include "base/owner.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/output.h"

/* A sentence in which %NAME is the error's parameter of that name. */
static const struct refusal {
	const char *error;
	int code;
	const char *sentence;
} refusals[] = {
	{ "io.holdport.PermissionDenied", OUTCOME_NOT_PERMITTED,
	  "not permitted: root and the user that the supervisor runs as may ask it, and its "
	  "read_group and change_group, each what it is for" },
	{ "io.holdport.NoSuchProgram", OUTCOME_UNKNOWN_NAME, "nothing here is called \"%name\"" },
	{ "io.holdport.NoSuchSocket", OUTCOME_UNKNOWN_NAME, "no socket here is called \"%name\"" },
	{ "io.holdport.NothingNamed", OUTCOME_USAGE, "name a program, or say --all" },
	{ "io.holdport.NoSuchState", OUTCOME_USAGE,
	  "\"%state\" is no state of a program (stopped, starting, running, restarting, "
	  "backoff, failed, stopping)" },
	{ "io.holdport.NoSuchSignal", OUTCOME_USAGE, "\"%signal\" is no signal" },
	{ "io.holdport.NotReached", OUTCOME_FAILED, "%name is %state: %text" },
	{ "io.holdport.ShuttingDown", OUTCOME_FAILED, "the supervisor is shutting down" },
	{ "io.holdport.Failed", OUTCOME_FAILED, "%text" },
	{ "org.varlink.service.MethodNotFound", OUTCOME_FAILED,
	  "the supervisor does not know %method; it is of another version" },
	{ "org.varlink.service.InvalidParameter", OUTCOME_USAGE,
	  "the supervisor cannot make sense of \"%parameter\"" },
};

static void fill_in(struct str *out, const char *sentence, const json_t *parameters)
{
	while (*sentence) {
		size_t plain = strcspn(sentence, "%");
		char key[32];
		size_t length;

		str_add_n(out, sentence, plain);
		sentence += plain;
		if (!*sentence)
			break;
		length = strspn(++sentence, "abcdefghijklmnopqrstuvwxyz");
		(void)snprintf(key, sizeof(key), "%.*s", (int)length, sentence);
		if (json_text(parameters, key))
			str_add(out, json_text(parameters, key));
		sentence += length;
	}
}

/* "web is stopped: " where nothing was said behind the colon. */
static void trim(struct str *s)
{
	while (s->length && strchr(": ", s->data[s->length - 1]))
		s->data[--s->length] = '\0';
}

int client_refusal(const char *error, const json_t *parameters, struct err *err)
{
	struct str text = { 0 };
	int code = OUTCOME_FAILED;

	for (size_t i = 0; i < COUNT(refusals); i++)
		if (strcmp(error, refusals[i].error) == 0) {
			code = refusals[i].code;
			fill_in(&text, refusals[i].sentence, parameters);
			trim(&text);
		}
	if (text.length)
		(void)err_set(err, 0, "%s", str_text(&text));
	else
		(void)err_set(err, 0, "the supervisor answered %s", error);
	str_fini(&text);
	return code;
}
