/* What was asked by name is known to the next manager as it was to the one before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "control/change.h"
#include "keeper/snapshot.h"

static struct rollout rollout;
static struct str written;

static void record(void *ctx, const struct str *text, bool and_programs)
{
	(void)ctx;
	(void)and_programs;
	str_add_n(&written, str_text(text), text->length);
}

static const struct control_ops ops = { .record = record };

static struct control *new_control(void)
{
	struct control *c = calloc(1, sizeof(*c));

	c->rollout = &rollout;
	c->ops = &ops;
	control_init(c);
	return c;
}

static void free_control(struct control *c)
{
	control_fini(c);
	free(c);
}

static int begin(void **state)
{
	(void)state;
	list_init(&rollout.programs);
	snapshot_begin(&written);
	return 0;
}

static int end(void **state)
{
	(void)state;
	str_fini(&written);
	return 0;
}

/* As the next manager does it. */
static struct control *successor(void)
{
	struct control *next = new_control();
	struct snapshot s;

	assert_int_equal(snapshot_read(str_text(&written), written.length, &s, NULL), 0);
	changes_revive(next, &s);
	snapshot_fini(&s);
	return next;
}

static char *text_of(const struct control *c)
{
	struct str text = { 0 };

	changes_record(c, &text);
	return str_take(&text);
}

static struct change *asked(struct control *c, const char *name)
{
	struct change *ch = change_new(c, name, "io.holdport.Restart");

	ch->drained = true;
	return ch;
}

static void end_badly(struct ask *a)
{
	char *items[] = { (char *)(uintptr_t)"it said \"why\"", NULL };
	struct text_list lines = { .items = items, .count = 1 };

	a->done(a, false, "generation 2: ended", &lines);
}

static void how_it_ended_is_known_to_a_successor(void **state)
{
	struct control *c = new_control(), *next;
	struct change *ch = asked(c, "one");
	struct ask *a = change_ask("a", ch), *b = change_ask("b", ch);
	char *before, *after;

	(void)state;
	change_asked(ch);
	end_badly(a);
	end_badly(b);
	assert_int_equal(ch->pending, 0);
	before = text_of(c);
	assert_non_null(strstr(before, "it said"));
	next = successor();
	after = text_of(next);
	assert_string_equal(after, before);
	free(before);
	free(after);
	free_control(next);
	free_control(c);
}

static void a_program_that_is_gone_has_an_outcome(void **state)
{
	struct control *c = new_control(), *next;
	struct change *ch = asked(c, "one");
	struct ask *removed = change_ask("removed", ch);

	(void)state;
	(void)change_ask("restarted", ch);
	removed->kind = ASK_DOWN;
	change_asked(ch);
	next = successor();
	ch = OWNER(next->changes.next, struct change, node);
	assert_int_equal(ch->pending, 0);
	list_each(a, &ch->asks, struct change_ask, node)
		assert_true(json_is_true(json_object_get(a->result, "ok")) ==
			    (strcmp(a->name, "removed") == 0));
	free_control(next);
	free_control(c);
}

/* In the journal by which the next one goes on, it is known by that. */
static void each_keeps_its_number(void **state)
{
	struct control *c = new_control(), *next;
	struct change *ch = asked(c, "one");
	struct ask *a = change_ask("a", ch);
	char *checkpoint;

	(void)state;
	(void)change_ask("b", ch);
	change_asked(ch);
	end_badly(a);
	checkpoint = text_of(c);
	str_fini(&written);
	snapshot_begin(&written);
	str_add(&written, checkpoint);
	next = successor();
	ch = OWNER(next->changes.next, struct change, node);
	list_each(one, &ch->asks, struct change_ask, node)
		assert_int_equal(one->number, strcmp(one->name, "b") == 0);
	free(checkpoint);
	free_control(next);
	free_control(c);
}

static void one_without_a_name_is_not_written(void **state)
{
	struct control *c = new_control();
	struct change *ch = change_new(c, NULL, "io.holdport.Restart");
	struct ask *a = change_ask("a", ch);
	size_t before = written.length;

	(void)state;
	change_asked(ch);
	end_badly(a);			/* and it is freed */
	assert_int_equal(written.length, before);
	free_control(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(how_it_ended_is_known_to_a_successor, begin, end),
		cmocka_unit_test_setup_teardown(a_program_that_is_gone_has_an_outcome, begin, end),
		cmocka_unit_test_setup_teardown(each_keeps_its_number, begin, end),
		cmocka_unit_test_setup_teardown(one_without_a_name_is_not_written, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
