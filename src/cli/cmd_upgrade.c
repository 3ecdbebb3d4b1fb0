/* upgrade: asked on one connection, which the manager's image takes with it, and
 * learnt on the next. */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

static long long number_of(const json_t *answer)
{
	return json_number(answer, "id");
}

static bool has_outcome(const json_t *answer)
{
	return json_is_boolean(json_object_get(answer, "done"));
}

/* The connection broke: nothing but the time that we are given ends the asking. */
static bool is_asked_again(const json_t *answer, int code)
{
	return code == OUTCOME_FAILED && number_of(answer) > 0 && !has_outcome(answer);
}

static int ask_again(struct session *s, json_t **answer, struct err *err)
{
	struct client_call call = { .method = "UpgradeOutcome", .on_reply = keep_answer,
				    .ctx = answer };
	int code;

	*err = (struct err){ 0 };	/* connecting says itself what fails */
	code = session_connect_again(s);
	if (code)
		return code;
	call.parameters = json_pack("{s:I}", "id", (json_int_t)number_of(*answer));
	return session_try(s, &call, err);
}

static int ask(const struct request *r, json_t **answer)
{
	struct client_call call = { .method = "Upgrade", .more = true, .on_reply = keep_answer,
				    .ctx = answer };
	struct session s;
	struct err err = { 0 };
	int code = session_open(&s, r);

	if (!code) {
		call.parameters = json_pack("{s:b}", "wait", !option_given(r, OPTION_NO_WAIT));
		code = session_try(&s, &call, &err);
		while (is_asked_again(*answer, code))
			code = ask_again(&s, answer, &err);
		if (code && *err.text)
			(void)complain(code, "%s", err.text);
	}
	session_close(&s);
	return code;
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
	int code = ask(r, &answer);

	if (!code)
		code = say(r, answer);
	json_decref(answer);
	return code;
}
