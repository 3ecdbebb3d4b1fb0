/* What syslog and the journal get of a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <cmocka.h>

#include "logs/entry.h"

static struct entry entry(const char *text)
{
	return (struct entry){ .origin = "web/3/0", .pid = 4711, .facility = LOG_LOCAL1,
			       .priority = LOG_INFO, .text = text, .length = strlen(text),
			       .when = 1764120061 };
}

static void expect(const struct entry *e, void (*form)(const struct entry *, struct str *),
		   const char *text, size_t length)
{
	struct str out = { 0 };

	form(e, &out);
	assert_int_equal(out.length, length);
	assert_memory_equal(out.data, text, length);
	str_fini(&out);
}

#define EXPECT(e, form, text) expect(e, form, text, sizeof(text) - 1)

static void syslog_gets_a_line_as_syslog_3_says_it(void **state)
{
	struct entry e = entry("hello");

	(void)state;
	EXPECT(&e, entry_for_syslog, "<142>Nov 26 01:21:01 web[4711]: hello");
	e.when += 10 * 86400;
	e.prefix = true;
	EXPECT(&e, entry_for_syslog, "<142>Dec  6 01:21:01 web[4711]: web/3/0: hello");
	e.identity = "holdport";
	e.origin = NULL;
	EXPECT(&e, entry_for_syslog, "<142>Dec  6 01:21:01 holdport[4711]: hello");
}

static void no_byte_ends_a_line_of_syslog(void **state)
{
	struct entry e = entry("");

	(void)state;
	e.text = "a\0b\377";
	e.length = 4;
	EXPECT(&e, entry_for_syslog, "<142>Nov 26 01:21:01 web[4711]: a b\377");
}

static void the_journal_gets_fields(void **state)
{
	struct entry e = entry("a=b");

	(void)state;
	EXPECT(&e, entry_for_journal,
	       "SYSLOG_IDENTIFIER=web\nSYSLOG_PID=4711\nSYSLOG_FACILITY=17\nPRIORITY=6\n"
	       "HOLDPORT_PROGRAM=web\nHOLDPORT_GENERATION=3\nHOLDPORT_WORKER=0\nMESSAGE=a=b\n");
	e.identity = "holdport";
	e.origin = NULL;
	EXPECT(&e, entry_for_journal, "SYSLOG_IDENTIFIER=holdport\nSYSLOG_PID=4711\n"
	       "SYSLOG_FACILITY=17\nPRIORITY=6\nMESSAGE=a=b\n");
}

static void a_level_in_front_is_its_priority(void **state)
{
	static const struct { const char *line, *text; int priority; } cases[] = {
		{ "<0>a", "a", LOG_EMERG }, { "<7>", "", LOG_DEBUG }, { "<8>a", "<8>a", LOG_INFO },
		{ "<12>a", "<12>a", LOG_INFO }, { "<1", "<1", LOG_INFO }, { "", "", LOG_INFO },
		{ "<3><4>a", "<4>a", LOG_ERR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct entry e = entry(cases[i].line);

		entry_take_level(&e);
		assert_int_equal(e.priority, cases[i].priority);
		assert_int_equal(e.length, strlen(cases[i].text));
		assert_memory_equal(e.text, cases[i].text, e.length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syslog_gets_a_line_as_syslog_3_says_it),
		cmocka_unit_test(no_byte_ends_a_line_of_syslog),
		cmocka_unit_test(the_journal_gets_fields),
		cmocka_unit_test(a_level_in_front_is_its_priority),
	};

	(void)setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
