/* The command line: options before and after the names, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/options.c"

static const struct command restart = {
	.name = "restart",
	.options = OPTIONS_LONG | OPTION_BIT(ALL),
};

static struct request empty(void)
{
	return (struct request){ .timeout = -1, .since = -1, .generation = -1 };
}

static int count(char **words)
{
	int n = 0;

	while (words[n])
		n++;
	return n;
}

static int read_all(struct request *r, char **argv, struct err *err)
{
	char **words;

	if (options_before(r, count(argv), argv, &words, err))
		return -1;
	r->command = &restart;
	return options_behind(r, words, err) || options_fit(r, err) ? -1 : 0;
}

static void options_stand_anywhere(void **state)
{
	char *lines[][8] = {
		{ "holdport", "-c", "f", "--timeout=5s", "restart", "web", "api", NULL },
		{ "holdport", "restart", "-cf", "web", "--timeout", "5", "api", NULL },
		{ "holdport", "restart", "web", "api", "--conf=f", "--timeout", "5000ms", NULL },
		{ "holdport", "--time", "5s", "restart", "web", "-cf", "api", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct request r = empty();
		struct err err;

		assert_int_equal(read_all(&r, lines[i], &err), 0);
		assert_string_equal(r.config, "f");
		assert_int_equal(r.timeout, 5000);
		assert_int_equal(r.name_count, 2);
		assert_string_equal(r.names[0], "web");
		assert_string_equal(r.names[1], "api");
		assert_null(r.names[2]);
		assert_true(option_given(&r, OPTION_TIMEOUT));
		assert_false(option_given(&r, OPTION_ALL));
		free(r.names);
	}
}

static void two_dashes_end_the_options(void **state)
{
	char *argv[] = { "holdport", "restart", "--all", "--", "--json", NULL };
	struct request r = empty();
	struct err err;

	(void)state;
	assert_int_equal(read_all(&r, argv, &err), 0);
	assert_int_equal(r.name_count, 1);
	assert_string_equal(r.names[0], "--json");
	assert_true(option_given(&r, OPTION_ALL));
	assert_false(option_given(&r, OPTION_JSON));
	free(r.names);
}

static void posixly_correct_changes_nothing(void **state)
{
	char *argv[] = { "holdport", "restart", "web", "--all", NULL };
	struct request r = empty();
	struct err err;

	(void)state;
	(void)setenv("POSIXLY_CORRECT", "1", 1);
	assert_int_equal(read_all(&r, argv, &err), 0);
	(void)unsetenv("POSIXLY_CORRECT");
	assert_int_equal(r.name_count, 1);
	assert_true(option_given(&r, OPTION_ALL));
	free(r.names);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		char *words[3];
		const char *sentence;
	} wrong[] = {
		{ { "--tineout", "3" }, "--tineout: no such option; did you mean --timeout?" },
		{ { "--zzzzzzzzz" }, "--zzzzzzzzz: no such option" },
		{ { "-x" }, "-x: no such option" },
		{ { "--timeout" }, "--timeout needs a value: --timeout D" },
		{ { "-c" }, "--config needs a value: --config FILE" },
		{ { "--runtime-dir", "" }, "--runtime-dir: nothing is given" },
		{ { "--json=3" }, "--json takes no value" },
		{ { "--watch" }, "--watch is no option of this command" },
		{ { "--since", "-3" }, "--since: \"-3\" is less than nothing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char *argv[] = { "holdport", "restart", wrong[i].words[0], wrong[i].words[1], NULL };
		struct request r = empty();
		struct err err;

		assert_int_equal(read_all(&r, argv, &err), -1);
		assert_string_equal(err.text, wrong[i].sentence);
		free(r.names);
	}
}

static void every_told_option_is_in_the_help(void **state)
{
	struct str help = { 0 };

	(void)state;
	options_help(~0u, &help);
	for (int i = 0; i < OPTION_COUNT; i++) {
		char name[32];

		assert_non_null(rows[i].name);
		assert_true(rows[i].kind == FLAG || rows[i].argument);
		(void)snprintf(name, sizeof(name), "--%s ", rows[i].name);
		assert_int_equal(strstr(str_text(&help), name) != NULL, rows[i].help != NULL);
	}
	str_fini(&help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(posixly_correct_changes_nothing),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(every_told_option_is_in_the_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
