/* upgrade: asked on one connection, which the manager's image takes with it, and
 * learnt on the next. */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

struct upgrade {
	json_t *answer;		/* the last one */
};

static long long number_of(const struct upgrade *u)
{
	return json_number(u->answer, "id");
}

static bool has_outcome(const struct upgrade *u)
{
	return json_is_boolean(json_object_get(u->answer, "done"));
}

static bool on_reply(const json_t *parameters, void *ctx)
{
	struct upgrade *u = ctx;

	json_decref(u->answer);
	u->answer = json_incref((json_t *)parameters);
	return true;
}

/* The connection broke: nothing but the time that we are given ends the asking. */
static bool is_asked_again(const struct upgrade *u, int code)
{
	return code == OUTCOME_FAILED && number_of(u) > 0 && !has_outcome(u);
}

static int ask_again(struct session *s, struct upgrade *u, struct err *err)
{
	struct client_call call = { .method = "UpgradeOutcome", .on_reply = on_reply, .ctx = u };
	int code;

	*err = (struct err){ 0 };	/* connecting says itself what fails */
	code = session_connect_again(s);
	if (code)
		return code;
	call.parameters = json_pack("{s:I}", "id", (json_int_t)number_of(u));
	return session_try(s, &call, err);
}

static int ask(const struct request *r, struct upgrade *u)
{
	struct client_call call = { .method = "Upgrade", .more = true, .on_reply = on_reply,
				    .ctx = u };
	struct session s;
	struct err err = { 0 };
	int code = session_open(&s, r);

	if (!code) {
		call.parameters = json_pack("{s:b}", "wait", !option_given(r, OPTION_NO_WAIT));
		code = session_try(&s, &call, &err);
		while (is_asked_again(u, code))
			code = ask_again(&s, u, &err);
		if (code && *err.text)
			(void)complain(code, "%s", err.text);
	}
	session_close(&s);
	return code;
}

static int say(const struct request *r, const struct upgrade *u)
{
	int code = !has_outcome(u) || json_is_true(json_object_get(u->answer, "done"))
			   ? OUTCOME_DONE : OUTCOME_FAILED;
	struct str text = { 0 };

	if (option_given(r, OPTION_JSON)) {
		(void)output_json(u->answer, JSON_INDENT(2));
		return code;
	}
	str_add_json(&text, u->answer, "text");
	if (code)
		(void)complain(code, "upgrade: %s", str_text(&text));
	else
		(void)printf("%s\n", text.length ? str_text(&text) : "asked");
	str_fini(&text);
	return code;
}

int cmd_upgrade(struct request *r)
{
	struct upgrade u = { 0 };
	int code = ask(r, &u);

	if (!code)
		code = say(r, &u);
	json_decref(u.answer);
	return code;
}
