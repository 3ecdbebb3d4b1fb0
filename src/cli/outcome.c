#include "cli/outcome.h"

#include <string.h>

#include "base/owner.h"
#include "cli/output.h"

static bool outcome_ok(const json_t *outcome)
{
	return json_is_true(json_object_get(outcome, "ok"));
}

bool outcomes_ok(const json_t *results)
{
	const json_t *outcome;
	size_t i;

	json_array_foreach((json_t *)results, i, outcome)
		if (!outcome_ok(outcome))
			return false;
	return true;
}

static void print_lines(const json_t *lines, struct str *out)
{
	const json_t *line;
	size_t i;

	json_array_foreach((json_t *)lines, i, line) {
		str_add(out, "  | ");
		if (json_is_string(line))
			str_add_escaped(out, json_string_value(line), json_string_length(line));
		str_add(out, "\n");
	}
}

static void print_outcome(const json_t *outcome, bool color, struct str *out)
{
	bool ok = outcome_ok(outcome);
	const char *text = json_text(outcome, "text");

	str_add_json(out, outcome, "name");
	str_add(out, ": ");
	if (!ok)
		str_addf(out, "%sFAILED%s%s", color ? "\033[31m" : "", color ? "\033[0m" : "",
			 text && *text ? ": " : "");
	str_add_json(out, outcome, "text");
	str_add(out, "\n");
	if (!ok)
		print_lines(json_object_get(outcome, "lines"), out);
}

void outcomes_print(const json_t *results, bool color, struct str *out)
{
	const json_t *outcome;
	size_t i;

	json_array_foreach((json_t *)results, i, outcome)
		print_outcome(outcome, color, out);
}

static enum paint paint_of_action(const char *action)
{
	static const struct {
		const char *action;
		enum paint paint;
	} known[] = {
		{ "add", PAINT_GOOD },	 { "keep", PAINT_DIM },	    { "change", PAINT_BUSY },
		{ "live", PAINT_BUSY },	 { "restart", PAINT_BUSY }, { "remove", PAINT_BAD },
	};

	for (size_t i = 0; action && i < COUNT(known); i++)
		if (strcmp(action, known[i].action) == 0)
			return known[i].paint;
	return PAINT_NONE;
}

void plan_print(const json_t *plan, bool color, struct str *out)
{
	struct table t = { .columns = "llll" };
	const json_t *step;
	size_t i;

	json_array_foreach((json_t *)plan, i, step) {
		const char *action = json_text(step, "action");

		table_text(&t, paint_of_action(action), action);
		table_text(&t, PAINT_NONE, json_text(step, "what"));
		table_text(&t, PAINT_NONE, json_text(step, "name"));
		table_text(&t, PAINT_NONE, json_text(step, "text"));
	}
	if (t.count)
		table_print(&t, color, out);
	else
		str_add(out, "nothing to do\n");
	table_fini(&t);
}
