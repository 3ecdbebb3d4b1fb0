/* Changes as a successor has to know them: of each a line, and one for each program in it. */
#include "control/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "keeper/snapshot.h"

static void add_head(const struct change *ch, struct str *out)
{
	fact_begin(out, "request");
	fact_text(out, "name", ch->name);
}

void change_record_ask(const struct change_ask *a, struct str *out)
{
	char *id = mem_format("%s/%u", a->change->name, a->number);
	char *result = a->result ? json_dumps(a->result, JSON_COMPACT) : NULL;

	fact_begin(out, "asked");
	fact_text(out, "id", id);
	fact_text(out, "request", a->change->name);
	fact_text(out, "program", a->name);
	fact_number(out, "kind", a->ask.kind);
	fact_number(out, "ticket", a->ask.ticket);
	fact_number(out, "most", a->most);
	fact_text(out, "drains", a->text);
	fact_text(out, "result", result);
	fact_end(out);
	free(result);
	free(id);
}

void change_record(const struct change *ch, struct str *out)
{
	add_head(ch, out);
	fact_text(out, "method", ch->method);
	fact_number(out, "drained", ch->drained);
	fact_end(out);
	list_each(a, &ch->asks, struct change_ask, node)
		change_record_ask(a, out);
}

void changes_record(const struct control *c, struct str *out)
{
	list_each(ch, &c->changes, struct change, node)
		change_record(ch, out);
}

/* Also of one that a reload has removed. */
static struct program *program_of(const struct rollout *r, const char *name)
{
	list_each(p, &r->programs, struct program, node)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

/* By which the journal knows it, whatever order they were written in. */
static unsigned number_of(const struct fact *f, unsigned otherwise)
{
	const char *id = fact_get(f, "id"), *number = id ? strrchr(id, '/') : NULL;

	return number ? (unsigned)strtoul(number + 1, NULL, 10) : otherwise;
}

/* False: it was never begun. */
static bool revive_ask(struct change *ch, const struct fact *f)
{
	const char *name = fact_get(f, "program"), *result = fact_get(f, "result");
	struct change_ask *a = change_add(ch, name ? name : "?");
	struct program *p = program_of(ch->control->rollout, a->name);
	int64_t ticket = fact_int(f, "ticket", 0);

	a->number = number_of(f, a->number);
	a->most = (unsigned)fact_int(f, "most", 0);
	a->text = mem_text(fact_get(f, "drains"));
	a->result = result ? json_loads(result, 0, NULL) : NULL;
	if (a->result)
		change_one_less(ch);
	else if (a->text)
		change_see_drained(a);
	else if (p)
		return ask_again(p, &a->ask, (enum ask_kind)fact_int(f, "kind", 0), (unsigned)ticket);
	else
		a->ask.done(&a->ask, fact_int(f, "kind", 0) == ASK_DOWN, "is removed", NULL);
	return true;
}

/* One that was not begun: nor is it to be found begun later, when others have asked for the
 * same. */
void change_forget(struct change *ch)
{
	const struct control *c = ch->control;
	struct str text = { 0 };

	add_head(ch, &text);
	fact_number(&text, "gone", 1);
	fact_end(&text);
	c->ops->record(c->ctx, &text, false);
	str_fini(&text);
	change_free(ch);
}

static void revive(struct control *c, const struct fact *head, const struct list *asked)
{
	const char *name = fact_get(head, "name"), *method = fact_get(head, "method");
	struct change *ch = change_new(c, name, method ? method : "");
	bool begun = true;

	ch->drained = fact_bool(head, "drained");
	list_each(b, asked, struct snapshot_block, node) {
		const char *of = fact_get(&b->head, "request");

		if (begun && of && strcmp(of, name) == 0)
			begun = revive_ask(ch, &b->head);
	}
	if (begun)
		change_one_less(ch);
	else
		change_forget(ch);
}

void changes_revive(struct control *c, const struct snapshot *before)
{
	if (before->requests.next)
		list_each(b, &before->requests, struct snapshot_block, node)
			revive(c, &b->head, &before->asked);
}
