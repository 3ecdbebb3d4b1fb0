/* explain: why an address cannot be bound now. */
#include "cli/options.h"
#include "cli/output.h"
#include "cli/trial_text.h"

static int code_of(const struct trial *t)
{
	switch (t->judgement.answer) {
	case CAN_BIND:
		return OUTCOME_DONE;
	case CANNOT_BIND:
		return OUTCOME_NOT_RUNNING;
	case NOT_KNOWN:
		break;
	}
	return OUTCOME_NOT_PERMITTED;
}

int cmd_explain(struct request *r)
{
	struct str text = { 0 };
	struct trial t;
	struct key key;
	json_t *answer;
	int code = trial_request(r, &key);

	if (code)
		return code;
	trial_make(&key, &t);
	if (option_given(r, OPTION_JSON)) {
		answer = trial_json(&t);
		(void)output_json(answer, JSON_INDENT(2));
		json_decref(answer);
	} else {
		trial_lines(&t, &text);
		(void)output_now(&text);
	}
	str_fini(&text);
	return code_of(&t);
}
