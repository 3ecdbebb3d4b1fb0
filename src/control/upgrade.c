/* Upgrade and UpgradeOutcome: asked on one connection, answered on the next. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/change.h"
#include "control/json_text.h"

struct waiting {
	struct list node;
	struct call *call;
};

static void forget(struct call *c)
{
	struct waiting *w = c->data;

	list_remove(&w->node);
	free(w);
}

static void wait_for_it(struct call *c)
{
	struct waiting *w = MEM_NEW(struct waiting);

	w->call = c;
	c->data = w;
	c->forget = forget;
	list_append(&control_of(c)->upgrading, &w->node);
}

static struct control_upgrade last_one(struct control *control)
{
	struct control_upgrade u;

	control->ops->upgraded(control->ctx, &u);
	return u;
}

static void reply(struct call *c, const struct control_upgrade *u)
{
	call_reply(c, json_pack("{s:i, s:b, s:o}", "id", (int)u->number, "done", (int)u->done,
				"text", json_text(u->text)));
}

static bool is_known(struct control *control, const char *name)
{
	struct control_upgrade u = last_one(control);

	return name && u.request && strcmp(u.request, name) == 0;
}

static void tell(struct call *c, bool wait)
{
	struct control_upgrade u = last_one(control_of(c));

	if (!u.under_way) {
		reply(c, &u);
	} else if (!wait) {
		call_reply(c, json_pack("{s:i}", "id", (int)u.number));
	} else {
		call_continue(c, json_pack("{s:i}", "id", (int)u.number));
		wait_for_it(c);
	}
}

void upgrade_ask(struct call *c, json_t *parameters)
{
	struct control *control = control_of(c);
	bool wait = !json_is_false(json_object_get(parameters, "wait"));
	const char *name;
	struct err err;

	if (!change_name(c, parameters, &name))
		return;
	if (is_known(control, name))
		tell(c, wait);
	else if (is_leaving(c))
		return;
	else if (control->ops->upgrade(control->ctx, name, &err) < 0)
		call_error(c, "io.holdport.Failed", json_pack("{s:s}", "text", err.text));
	else
		tell(c, wait);
}

void upgrade_outcome(struct call *c, json_t *parameters)
{
	struct control_upgrade u = last_one(control_of(c));
	json_t *id = json_object_get(parameters, "id");

	if (!u.number || !json_is_integer(id) || json_integer_value(id) != u.number)
		bad_parameter(c, "id");
	else if (u.under_way)
		wait_for_it(c);
	else
		reply(c, &u);
}

void control_upgraded(struct control *c)
{
	struct control_upgrade u = last_one(c);

	if (!c->upgrading.next)
		return;
	list_each_safe(w, &c->upgrading, struct waiting, node) {
		struct call *call = w->call;

		forget(call);
		call->forget = NULL;
		reply(call, &u);
	}
}
