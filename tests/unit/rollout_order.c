/* Who waits for whom, decided from programs as they are. */
#include "config_case.h"

#include "rollout/order.h"

static struct store store;
static struct rollout rollout;

/* A program that lives by these settings, whatever others live by. */
static struct program *add(const char *name, const char *settings)
{
	struct settings *s = case_good(settings);
	struct means *m = means_new(s, settings_program(s, name), &store);
	struct program *p = program_new(&rollout, m);

	settings_unref(s);
	means_unref(m);
	return p;
}

static void come(struct program *p)
{
	p->up = true;
	p->state = PROGRAM_STARTING;
}

static struct generation *be_there(struct program *p)
{
	p->state = PROGRAM_RUNNING;
	p->current = generation_new(p, 1, 1, p->wanted);
	return p->current;
}

#define PROGRAM(name, keys) "[program:" name "]\ncommand = x\n" keys
#define CHAIN PROGRAM("a", "") PROGRAM("b", "after = a\n") PROGRAM("c", "after = b, a\n")

static int begin(void **state)
{
	(void)state;
	store_init(&store, NULL, NULL, NULL);
	rollout = (struct rollout){ .store = &store };
	list_init(&rollout.programs);
	return 0;
}

static int end(void **state)
{
	(void)state;
	list_each(p, &rollout.programs, struct program, node)
		p->behind = NULL;
	list_each_safe(p, &rollout.programs, struct program, node)
		program_free(p);
	store_fini(&store);
	return 0;
}

static void a_first_start_waits_for_those_that_come(void **state)
{
	struct program *a = add("a", CHAIN), *b = add("b", CHAIN), *c = add("c", CHAIN);

	(void)state;
	come(c);
	assert_null(order_before_start(c));	/* nobody else is wanted */
	come(a);
	assert_ptr_equal(order_before_start(c), a);
	a->failures = 1;
	assert_null(order_before_start(c));
	a->failures = 0;
	come(b);
	(void)be_there(a);
	assert_ptr_equal(order_before_start(c), b);
	assert_null(order_before_start(b));
	(void)be_there(c);
	assert_null(order_before_start(c));	/* it runs: that is no first start */
}

static void an_end_waits_for_those_that_go(void **state)
{
	struct program *a = add("a", CHAIN), *b = add("b", CHAIN), *c = add("c", CHAIN);

	(void)state;
	assert_true(order_has_followers(a) && order_has_followers(b));
	assert_false(order_has_followers(c));
	b->up = c->up = true;
	(void)be_there(a);
	(void)be_there(b);
	(void)be_there(c);
	assert_null(order_before_stop(a));	/* b and c stay */
	b->up = false;
	assert_ptr_equal(order_before_stop(a), b);
	b->current = NULL;
	assert_ptr_equal(order_before_stop(a), b);	/* on its way, not gone */
	list_each_safe(g, &b->generations, struct generation, node)
		generation_free(g);
	assert_null(order_before_stop(a));
	a->current = NULL;
	c->up = false;
	assert_null(order_before_stop(a));	/* it has let go: nothing is held up */
}

/* One that went back to older settings, one that went forth. */
static void nobody_waits_for_one_who_waits_for_him(void **state)
{
	struct program *a = add("a", PROGRAM("a", "after = c\n") PROGRAM("c", ""));
	struct program *b = add("b", CHAIN), *c = add("c", CHAIN);

	(void)state;
	come(a);
	come(b);
	come(c);
	b->behind = order_before_start(b);
	assert_ptr_equal(b->behind, a);
	c->behind = b;
	assert_null(order_before_start(a));
	c->behind = NULL;
	assert_ptr_equal(order_before_start(a), c);
}

#define FRESH(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(a_first_start_waits_for_those_that_come),
		FRESH(an_end_waits_for_those_that_go),
		FRESH(nobody_waits_for_one_who_waits_for_him),
	};

	return cmocka_run_group_tests(tests, case_begin, case_end);
}
