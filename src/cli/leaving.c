#include "cli/leaving.h"

#include <string.h>

#include "cli/output.h"

static void add_name(const json_t *event, struct str *out)
{
	str_add_json(out, event, "name");
	str_addf(out, "/%lld/%lld", json_number(event, "generation"),
		 json_number(event, "worker"));
}

bool leaving_sentence(const json_t *event, struct str *out)
{
	if (json_number(event, "connections") < 0)
		return false;
	add_name(event, out);
	str_add(out, ": ");
	str_add_json(out, event, "state");
	str_add(out, ", ");
	str_add_json(out, event, "text");
	return true;
}

/* An event without a number says that it is in another state: its last count may be
 * right still while it is being stopped, but not after that. */
static bool is_over(const json_t *event)
{
	const char *state = json_text(event, "state");

	return state && (strcmp(state, "killing") == 0 || strcmp(state, "gone") == 0);
}

void leaving_event(struct leaving *l, const json_t *event, int64_t now_ms)
{
	long long connections = json_number(event, "connections");
	long long seconds = json_number(event, "ends_before_s");
	struct str name = { 0 };

	if (json_number(event, "worker") < 0)
		return;
	if (!l->workers)
		l->workers = json_object();
	add_name(event, &name);
	if (connections >= 0)
		(void)json_object_set_new(
			l->workers, str_text(&name),
			json_pack("{s:I, s:I}", "connections", (json_int_t)connections, "until",
				  (json_int_t)(seconds < 0 ? -1 : now_ms + 1000 * seconds)));
	else if (is_over(event))
		(void)json_object_del(l->workers, str_text(&name));
	str_fini(&name);
}

static bool is_of(const char *worker, const char *program)
{
	size_t length = strlen(program);

	return strncmp(worker, program, length) == 0 && worker[length] == '/';
}

bool leaving_any(const struct leaving *l, const char *program)
{
	const char *name;
	json_t *worker;

	json_object_foreach(l->workers, name, worker)
		if (program && is_of(name, program))
			return true;
	return false;
}

void leaving_add(const struct leaving *l, const char *program, int64_t now_ms, struct str *out)
{
	long long connections = 0, until = -1;
	const char *name;
	json_t *worker;
	bool any = false;

	json_object_foreach(l->workers, name, worker) {
		if (!is_of(name, program))
			continue;
		any = true;
		connections += json_number(worker, "connections");
		if (json_number(worker, "until") > until)
			until = json_number(worker, "until");
	}
	if (!any)
		return;
	str_addf(out, ", %lld connection%s left", connections, connections == 1 ? "" : "s");
	if (until >= 0)
		str_addf(out, ", %llds at most",
			 until > now_ms ? (until - now_ms + 999) / 1000 : 0LL);
}

void leaving_fini(struct leaving *l)
{
	json_decref(l->workers);
	l->workers = NULL;
}
