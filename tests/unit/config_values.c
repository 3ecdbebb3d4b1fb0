/* Small readers: quantities, words, items, expansions, nearest names. */
#include "config_case.h"

#include "config/expand.h"
#include "config/nearest.h"
#include "config/quantity.h"
#include "config/words.h"

static void durations_are_read_as_a_user_writes_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "0", 0 },       { "30", 30000 },    { "250ms", 250 },   { "1.5s", 1500 },
		     { "2m", 120000 }, { "3h", 10800000 }, { "1d", 86400000 }, { "0.25", 250 } };
	static const char *const bad[] = { "",
					   "s",
					   "-1s",
					   "1 s",
					   "1w",
					   "1.s",
					   ".5s",
					   "1e3",
					   "0x10",
					   "nan",
					   "99999999999999999999",
					   "9223372036854775807s" };
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(duration_parse(good[i].text, &ms, NULL), 0);
		assert_int_equal(ms, good[i].ms);
	}
	ms = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], &ms, NULL), -1);
	assert_int_equal(ms, 77);
}

static void sizes_and_numbers_know_their_ends(void **state)
{
	int64_t n;
	char buf[SIZE_TEXT_SIZE];

	(void)state;
	assert_int_equal(size_parse("64K", &n, NULL), 0);
	assert_int_equal(n, 65536);
	assert_string_equal(size_text(n, buf), "64K");
	assert_string_equal(size_text(1500, buf), "1500");
	assert_int_equal(size_parse("1T", &n, NULL), -1);
	assert_int_equal(size_parse("8589934592G", &n, NULL), -1);
	assert_int_equal(number_parse("-12", &n, NULL), 0);
	assert_int_equal(n, -12);
	assert_int_equal(number_parse("1.5", &n, NULL), -1);
	assert_int_equal(number_parse("--1", &n, NULL), -1);
}

static void words_are_split_as_a_shell_splits_them(void **state)
{
	static const char *const want[] = { "a",   "b c", "d\"e", "f\\g h",    "",
					    "i j", "k'l", "m\\n", "${fd:x y}", "$$'" };
	struct text_list words = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(words_split(" a 'b c'\n\"d\\\"e\" 'f\\g h' '' i\\ j k\\'l \"m\\n\" "
				     "${fd:x y} $$\\'",
				     &words, &err),
			 0);
	assert_int_equal(words.count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < words.count; i++)
		assert_string_equal(words.items[i], want[i]);
	text_list_fini(&words);
	assert_int_equal(words_split("a 'b", &words, &err), -1);
	assert_non_null(strstr(err.text, "a quote (') is opened and not closed"));
}

static void a_quoted_word_is_split_into_itself(void **state)
{
	static const char *const all[] = { "",      "plain",   "two words",   "it's",
					   "\"",    "\\",      "a\nb",        "$$",
					   "$${'x", "${fd:s}", "'${worker}'", "*;#|&" };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct text_list words = { 0 };
		struct str text = { 0 };

		words_quote(all[i], &text);
		assert_int_equal(words_split(str_text(&text), &words, NULL), 0);
		assert_int_equal(words.count, 1);
		assert_string_equal(words.items[0], all[i]);
		text_list_fini(&words);
		str_fini(&text);
	}
}

static int name_of(const char *name, void *ctx, struct str *out, struct err *err)
{
	(void)ctx;
	if (strcmp(name, "cash") == 0)
		str_add(out, "$5 {}");
	else if (strcmp(name, "bad") == 0)
		return err_set(err, 0, "bad");
	else
		return 0;
	return 1;
}

static void expects(const char *text, bool keep, const char *want)
{
	struct str out = { 0 };
	int rc = expand(text, name_of, NULL, keep, &out, NULL);

	assert_int_equal(rc, want ? 0 : -1);
	if (want)
		assert_string_equal(str_text(&out), want);
	str_fini(&out);
}

static void expansions_give_values_dollars_and_faults(void **state)
{
	(void)state;
	expects("a${cash}b$$", false, "a$5 {}b$");
	expects("", false, "");
	expects("${other}", false, NULL);
	expects("${bad}", false, NULL);
	expects("$x", false, NULL);
	expects("x$", false, NULL);
	expects("${cash", false, NULL);
	expects("${cash${cash}}", false, NULL);
}

static void an_early_pass_leaves_what_is_late_and_doubles_dollars(void **state)
{
	struct str early = { 0 };

	(void)state;
	expects("${other} $$ ${cash}", true, "${other} $$ $$5 {}");
	assert_int_equal(expand("$$${cash}", name_of, NULL, true, &early, NULL), 0);
	expects(str_text(&early), false, "$$5 {}");
	str_fini(&early);
}

static void the_nearest_name_is_offered_if_it_is_near(void **state)
{
	struct text_list names = { 0 };
	char hint[NEAREST_SIZE];

	(void)state;
	text_list_add(&names, "workers");
	text_list_add(&names, "umask");
	assert_string_equal(nearest("wrokers", &names), "workers");
	assert_string_equal(nearest("worker", &names), "workers");
	assert_string_equal(nearest("umaks", &names), "umask");
	assert_null(nearest("listen", &names));
	assert_null(nearest("x", &names));
	assert_string_equal(nearest_hint("umsk", &names, hint), "; did you mean \"umask\"?");
	text_list_fini(&names);
}

CASES(CASE(durations_are_read_as_a_user_writes_them), CASE(sizes_and_numbers_know_their_ends),
      CASE(words_are_split_as_a_shell_splits_them), CASE(a_quoted_word_is_split_into_itself),
      CASE(expansions_give_values_dollars_and_faults),
      CASE(an_early_pass_leaves_what_is_late_and_doubles_dollars),
      CASE(the_nearest_name_is_offered_if_it_is_near), )
