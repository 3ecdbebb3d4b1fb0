/* upgrade: asked on one connection, which the manager's image takes with it, and
 * learnt on the next. */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

static bool has_outcome(const json_t *answer)
{
	return json_is_boolean(json_object_get(answer, "done"));
}

static int say(const struct request *r, const json_t *answer)
{
	int code = !has_outcome(answer) || json_is_true(json_object_get(answer, "done"))
			   ? OUTCOME_DONE : OUTCOME_FAILED;
	struct str text = { 0 };

	if (option_given(r, OPTION_JSON)) {
		(void)output_json(answer, JSON_INDENT(2));
		return code;
	}
	str_add_json(&text, answer, "text");
	if (code)
		(void)complain(code, "upgrade: %s", str_text(&text));
	else
		(void)printf("%s\n", text.length ? str_text(&text) : "asked");
	str_fini(&text);
	return code;
}

int cmd_upgrade(struct request *r)
{
	json_t *answer = NULL;		/* the last one */
	struct client_call call = { .method = "Upgrade", .more = true, .again = true,
				    .on_reply = keep_answer, .ctx = &answer };
	int code;

	call.parameters = json_pack("{s:b, s:o}", "wait", !option_given(r, OPTION_NO_WAIT),
				    "request", request_name());
	code = session_ask(r, &call);

	if (!code)
		code = say(r, answer);
	json_decref(answer);
	return code;
}
