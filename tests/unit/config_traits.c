/* nice, oom_score_adj, cpu_affinity, io_class, capabilities: read and printed. */
#include "config_case.h"

#include "platform/traits.h"

#define PROGRAM "[program:p]\ncommand = x\n"

static struct settings *with(const char *line)
{
	char text[256];

	(void)snprintf(text, sizeof(text), PROGRAM "%s\n", line);
	return case_good(text);
}

static const struct traits *traits_of(const struct settings *s)
{
	return &s->programs[0]->traits;
}

static char *printed(const struct settings *s)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	settings_print(s, SETTINGS_CHANGED, out);
	(void)fclose(out);
	return text;
}

static void what_is_not_said_is_unset(void **state)
{
	struct settings *s = with("");
	const struct traits *t = traits_of(s);

	(void)state;
	assert_true(t->nice == TRAIT_UNSET && t->oom_score_adj == TRAIT_UNSET);
	assert_false(t->processors.set || t->capabilities.set || t->no_new_privileges);
	assert_int_equal(t->io_class, IO_INHERIT);
	settings_unref(s);
}

static void a_number_may_be_minus_one(void **state)
{
	struct settings *s = with("nice = -1\noom_score_adj = -1000");
	char *text = printed(s);

	(void)state;
	assert_int_equal(traits_of(s)->nice, -1);
	assert_int_equal(traits_of(s)->oom_score_adj, -1000);
	assert_non_null(strstr(text, "nice = -1\n"));
	free(text);
	settings_unref(s);
}

static void processors_are_ranges(void **state)
{
	struct settings *s = with("cpu_affinity = 70, 0-2, 2-3, 1023");
	const struct processor_set *set = &traits_of(s)->processors;
	char *text = printed(s);

	(void)state;
	assert_true(set->set);
	assert_true(set->bits[0] == 0xf && set->bits[1] == 1 << 6);
	assert_true(set->bits[15] == (uint64_t)1 << 63);
	assert_non_null(strstr(text, "cpu_affinity = 0-3, 70, 1023\n"));
	free(text);
	settings_unref(s);
}

static void capabilities_have_names(void **state)
{
	struct settings *s = with("capabilities = CAP_NET_RAW, net_bind_service");
	char *text = printed(s);

	(void)state;
	assert_true(traits_of(s)->capabilities.bits == (1 << 10 | 1 << 13));
	assert_non_null(strstr(text, "capabilities = net_bind_service, net_raw\n"));
	free(text);
	settings_unref(s);
	s = with("capabilities = none");
	assert_true(traits_of(s)->capabilities.set && !traits_of(s)->capabilities.bits);
	settings_unref(s);
}

static void faults_say_what_would_be_right(void **state)
{
	static const struct {
		const char *line, *fault;
	} bad[] = {
		{ "nice = 20", "it goes from -20 to 19" },
		{ "nice = low", "\"low\"" },
		{ "oom_score_adj = -1001", "it goes from -1000 to 1000" },
		{ "cpu_affinity = 3-1", "\"0-3, 7\"" },
		{ "cpu_affinity = 1024", "up to 1023" },
		{ "cpu_affinity = 1-", "\"0-3, 7\"" },
		{ "io_class = slow", "best-effort" },
		{ "io_priority = 8", "it goes from 0 to 7" },
		{ "capabilities = net_bind", "no capability \"net_bind\"" },
		{ "capabilities = none, net_raw", "no capability \"none\"" },
		{ "capabilities = 10", "no capability \"10\"" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), PROGRAM "%s\n", bad[i].line);
		case_fault(text, bad[i].fault);
		assert_int_equal(case_fault_count(), 1);
	}
}

CASES(CASE(what_is_not_said_is_unset),
      CASE(a_number_may_be_minus_one),
      CASE(processors_are_ranges),
      CASE(capabilities_have_names),
      CASE(faults_say_what_would_be_right), )
