#include "control/change.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/owner.h"
#include "base/signal_name.h"
#include "control/json_text.h"

void bad_parameter(struct call *c, const char *name)
{
	call_error(c, "org.varlink.service.InvalidParameter",
		   json_pack("{s:s}", "parameter", name));
}

bool is_leaving(struct call *c)
{
	struct control *control = control_of(c);
	struct control_facts f;

	control->ops->facts(control->ctx, &f);
	if (f.leaving)
		call_error(c, "io.holdport.ShuttingDown", NULL);
	return f.leaving;
}

void no_such_program(struct call *c, const char *name)
{
	call_error(c, "io.holdport.NoSuchProgram", json_pack("{s:s}", "name", name));
}

struct program *named_program(struct call *c, const char *name)
{
	struct program *p;

	if (!name) {
		bad_parameter(c, "name");
		return NULL;
	}
	p = program_find(control_of(c)->rollout, name);
	if (!p)
		no_such_program(c, name);
	return p;
}

static void status(struct call *c, json_t *parameters)
{
	json_t *names = json_object_get(parameters, "names");
	const char *unknown = NULL;
	json_t *all = status_json(control_of(c), names, &unknown);

	if (all)
		call_reply(c, all);
	else if (unknown)
		no_such_program(c, unknown);
	else
		bad_parameter(c, "names");
}

static void signal_workers(struct call *c, json_t *parameters)
{
	const char *word = json_string_value(json_object_get(parameters, "signal"));
	json_int_t generation = json_integer_value(json_object_get(parameters, "generation"));
	struct program *p = named_program(c, json_string_value(json_object_get(parameters, "name")));
	int number = word ? signal_number(word) : 0;

	if (!p)
		return;
	if (generation < 0 || generation > INT_MAX)
		bad_parameter(c, "generation");
	else if (!number)
		call_error(c, "io.holdport.NoSuchSignal",
			   json_pack("{s:s}", "signal", word ? word : ""));
	else
		call_reply(c, json_pack("{s:i}", "reached",
					(int)program_signal(p, number, (unsigned)generation)));
}

static const struct method methods[] = {
	{ "org.varlink.service.GetInfo", RIGHT_NONE, describe_service },
	{ "org.varlink.service.GetInterfaceDescription", RIGHT_NONE, describe_interface },
	{ "io.holdport.Status", RIGHT_READ, status },
	{ "io.holdport.Logs", RIGHT_READ, describe_logs },
	{ "io.holdport.Sockets", RIGHT_READ, describe_sockets },
	{ "io.holdport.Start", RIGHT_CHANGE, change_start },
	{ "io.holdport.Stop", RIGHT_CHANGE, change_stop },
	{ "io.holdport.Restart", RIGHT_CHANGE, change_restart },
	{ "io.holdport.Rollback", RIGHT_CHANGE, change_rollback },
	{ "io.holdport.Scale", RIGHT_CHANGE, change_scale },
	{ "io.holdport.Signal", RIGHT_CHANGE, signal_workers },
	{ "io.holdport.Reload", RIGHT_CHANGE, change_reload },
	{ "io.holdport.Upgrade", RIGHT_CHANGE, upgrade_ask },
	{ "io.holdport.UpgradeOutcome", RIGHT_READ, upgrade_outcome },
	{ "io.holdport.Events", RIGHT_READ, watch_events },
	{ "io.holdport.Wait", RIGHT_READ, watch_state },
	{ "io.holdport.Shutdown", RIGHT_CHANGE, watch_end },
};

void control_init(struct control *c)
{
	events_init(&c->events);
	list_init(&c->changes);
}

void control_fini(struct control *c)
{
	list_each_safe(ch, &c->changes, struct change, node)
		change_free(ch);
	events_fini(&c->events);
}

int control_start(struct control *c, struct loop *loop, const char *path, int fd,
		  struct err *err)
{
	list_init(&c->ending);
	list_init(&c->upgrading);
	return varlink_start(&c->varlink, loop, path, fd, methods, COUNT(methods), c, err);
}

void control_stop(struct control *c)
{
	varlink_stop(&c->varlink);
}
