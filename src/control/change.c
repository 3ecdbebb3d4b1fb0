#include "control/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/owner.h"
#include "control/json_text.h"

static void ask_free(struct change_ask *a)
{
	ask_forget(&a->ask);
	list_remove(&a->node);
	json_decref(a->result);
	free(a->text);
	free(a->name);
	free(a);
}

void change_free(struct change *ch)
{
	events_leave(&ch->listener);
	list_remove(&ch->node);
	list_each_safe(a, &ch->asks, struct change_ask, node)
		ask_free(a);
	if (ch->call)
		ch->call->forget = NULL;
	free(ch->name);
	free(ch->method);
	free(ch);
}

static void write_down(struct change *ch, const struct change_ask *a)
{
	const struct control *c = ch->control;
	struct str text = { 0 };

	if (!ch->name)
		return;
	if (a)
		change_record_ask(a, &text);
	else
		change_record(ch, &text);
	c->ops->record(c->ctx, &text, !a);
	str_fini(&text);
}

static json_t *results(const struct change *ch)
{
	json_t *all = json_array();

	list_each(a, &ch->asks, struct change_ask, node)
		if (a->result)
			(void)json_array_append(all, a->result);
	return all;
}

void change_tell(const struct change *ch, struct call *call)
{
	call_reply(call, json_pack("{s:o}", "results", results(ch)));
}

struct call *change_leave(struct change *ch)
{
	struct call *call = ch->call;

	ch->call = NULL;
	return call;
}

void change_one_less(struct change *ch)
{
	if (--ch->pending)
		return;
	events_leave(&ch->listener);
	if (ch->call)
		change_tell(ch, change_leave(ch));
	if (!ch->name)
		change_free(ch);
}

static json_t *lines_json(const struct text_list *lines)
{
	json_t *all = json_array();

	for (size_t i = 0; lines && i < lines->count; i++)
		(void)json_array_append_new(all, json_text(lines->items[i]));
	return all;
}

static void answered(struct change_ask *a, bool ok, const char *text,
		     const struct text_list *lines)
{
	struct change *ch = a->change;

	a->result = json_pack("{s:s, s:b, s:o, s:o}", "name", a->name, "ok", (int)ok, "text",
			      json_text(text ? text : "failed"), "lines", lines_json(lines));
	list_remove(&a->node);
	list_append(&ch->asks, &a->node);
	write_down(ch, a);
	change_one_less(ch);
}

static size_t leaving(const struct change_ask *a, int64_t *ret_ms)
{
	struct program *p = program_find(a->change->control->rollout, a->name);

	return p ? program_leaving(p, a->most, ret_ms) : 0;
}

/* "; 2 workers are on their way out, 30s at most" */
static void add_leaving(const struct change_ask *a, struct str *out)
{
	char most[CLOCK_DURATION_SIZE];
	int64_t left;
	size_t count = leaving(a, &left);

	if (!count)
		return;
	if (count == 1)
		str_add(out, "; 1 worker is on its way out");
	else
		str_addf(out, "; %zu workers are on their way out", count);
	if (left >= 0)
		str_addf(out, ", %s at most", clock_duration((left + 999) / 1000 * 1000, most));
}

void change_see_drained(struct change_ask *a)
{
	struct str text = { 0 };
	int64_t left;

	if (!a->text || leaving(a, &left))
		return;
	str_addf(&text, "%s; nobody is on the way out", a->text);
	free(a->text);
	a->text = NULL;
	answered(a, true, str_text(&text), NULL);
	str_fini(&text);
}

bool change_concerns(const struct change *ch, const char *program)
{
	list_each(a, &ch->asks, struct change_ask, node)
		if (program && strcmp(a->name, program) == 0)
			return true;
	return false;
}

/* Only what is about the programs that were asked; one may be named twice.  Whether
 * somebody before them is still there is seen at each event. */
static void on_event(struct event_listener *l, const char *program, const char *json)
{
	struct change *ch = OWNER(l, struct change, listener);

	if (!change_concerns(ch, program))
		return;
	if (ch->call)
		call_continue_text(ch->call, "event", json);
	ch->pending++;
	list_each_safe(a, &ch->asks, struct change_ask, node)
		if (strcmp(a->name, program) == 0)
			change_see_drained(a);
	change_one_less(ch);
}

static void on_well(struct change_ask *a, struct program *p, const char *text)
{
	struct str all = { 0 };
	int64_t left;

	a->most = p->last_number;
	if (a->ask.kind == ASK_UP && p->current)
		str_addf(&all, "generation %u is running", p->current->number);
	else
		str_add(&all, text);
	if (a->change->drained && leaving(a, &left)) {
		a->text = mem_text(str_text(&all));
		write_down(a->change, a);
	} else {
		add_leaving(a, &all);
		answered(a, true, str_text(&all), NULL);
	}
	str_fini(&all);
}

static void on_done(struct ask *ask, bool ok, const char *text, const struct text_list *lines)
{
	struct change_ask *a = OWNER(ask, struct change_ask, ask);

	if (ok && ask->program)
		on_well(a, ask->program, text);
	else
		answered(a, ok, text, lines);
}

struct change *change_new(struct control *control, const char *name, const char *method)
{
	struct change *ch = MEM_NEW(struct change);

	ch->control = control;
	ch->name = mem_text(name);
	ch->method = mem_text(method);
	ch->pending = 1;
	ch->wait = true;
	ch->listener.on = on_event;
	list_init(&ch->node);
	list_init(&ch->asks);
	if (name)
		list_append(&control->changes, &ch->node);
	events_listen(&control->events, &ch->listener);
	return ch;
}

struct change_ask *change_add(struct change *ch, const char *program)
{
	struct change_ask *a = MEM_NEW(struct change_ask);

	a->change = ch;
	a->number = ch->asked++;
	a->name = mem_text(program);
	a->ask.done = on_done;
	list_init(&a->ask.node);
	list_append(&ch->asks, &a->node);
	ch->pending++;
	return a;
}

struct ask *change_ask(const char *program, void *change)
{
	struct change *ch = change;

	return ch->wait ? &change_add(ch, program)->ask : NULL;
}

/* With what became of the programs, in one: a successor knows both or neither. */
void change_asked(struct change *ch)
{
	write_down(ch, NULL);
	change_one_less(ch);
}
