/* What a process is beside its user (platform/traits.h), as a user writes it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/option_program.h"
#include "config/quantity.h"
#include "config/words.h"
#include "platform/traits.h"

/* A number that may be negative, and so needs another word for "unset". */

static int read_level(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	int64_t n = TRAIT_UNSET;

	(void)r;
	if (*text && number_parse(text, &n, err) < 0)
		return -1;
	if (*text && (n < o->min || n > o->max))
		return err_set(err, 0, "\"%.80s\" is out of range; it goes from %lld to %lld", text,
			       (long long)o->min, (long long)o->max);
	*OPTION_AT(o, object, int64_t) = n;
	return 0;
}

static void print_level(const struct option *o, const void *object, struct str *out)
{
	int64_t n = *OPTION_AT_CONST(o, object, int64_t);

	if (n != TRAIT_UNSET)
		str_addf(out, "%lld", (long long)n);
}

const struct option_type option_level = { "number", false, read_level, print_level, NULL };

/* cpu_affinity: "0-3, 7". */

static int one_processor(const char **at, long *ret)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return -1;
	*ret = strtol(*at, &end, 10);
	*at = end;
	return *ret < PROCESSORS_MOST ? 0 : -1;
}

static int add_range(const char *text, struct processor_set *set, struct err *err)
{
	const char *at = text;
	long from, to;
	int rc = one_processor(&at, &from);

	to = from;
	if (rc == 0 && *at == '-') {
		at++;
		rc = one_processor(&at, &to);
	}
	if (rc < 0 || *at || from > to)
		return err_set(err, 0, "cannot read \"%.80s\"; a list of processors such as "
				       "\"0-3, 7\" is needed, up to %d", text, PROCESSORS_MOST - 1);
	set->set = true;
	for (long n = from; n <= to; n++)
		set->bits[n / 64] |= (uint64_t)1 << n % 64;
	return 0;
}

static int read_processors(const struct option *o, const char *text, const struct reading *r,
			   void *object, struct err *err)
{
	struct processor_set set = { .set = false };
	struct text_list items = { 0 };
	int rc = 0;

	(void)r;
	items_split(text, ",\n", &items);
	for (size_t i = 0; i < items.count && rc == 0; i++)
		rc = add_range(items.items[i], &set, err);
	text_list_fini(&items);
	if (rc == 0)
		*OPTION_AT(o, object, struct processor_set) = set;
	return rc;
}

static bool has_processor(const struct processor_set *set, int n)
{
	return n < PROCESSORS_MOST && set->bits[n / 64] >> n % 64 & 1;
}

static void print_processors(const struct option *o, const void *object, struct str *out)
{
	const struct processor_set *set = OPTION_AT_CONST(o, object, struct processor_set);
	const char *between = "";

	for (int n = 0; n < PROCESSORS_MOST; n++) {
		int from = n;

		if (!has_processor(set, n))
			continue;
		while (has_processor(set, n + 1))
			n++;
		str_addf(out, n > from ? "%s%d-%d" : "%s%d", between, from, n);
		between = ", ";
	}
}

const struct option_type option_processors = { "list of processors", false, read_processors,
					       print_processors, NULL };

/* capabilities: names, or none. */

static int read_capabilities(const struct option *o, const char *text, const struct reading *r,
			     void *object, struct err *err)
{
	struct capability_set set = { .set = *text };
	struct text_list items = { 0 };
	int rc = 0;

	(void)r;
	items_split(strcmp(text, "none") == 0 ? "" : text, ",\n", &items);
	for (size_t i = 0; i < items.count && rc == 0; i++) {
		int number = platform_capability(items.items[i]);

		if (number < 0)
			rc = err_set(err, 0, "this system has no capability \"%.80s\"; a list of "
					     "names such as \"net_bind_service\" is needed, or none",
				     items.items[i]);
		else
			set.bits |= (uint64_t)1 << number;
	}
	text_list_fini(&items);
	if (rc == 0)
		*OPTION_AT(o, object, struct capability_set) = set;
	return rc;
}

static void print_capabilities(const struct option *o, const void *object, struct str *out)
{
	const struct capability_set *set = OPTION_AT_CONST(o, object, struct capability_set);
	char name[CAPABILITY_NAME_SIZE];
	const char *between = "";

	if (set->set && !set->bits)
		str_add(out, "none");
	for (int n = 0; n < CAPABILITIES_MOST; n++)
		if (set->bits >> n & 1) {
			str_addf(out, "%s%s", between, platform_capability_name(n, name));
			between = ", ";
		}
}

const struct option_type option_capabilities = { "list of names", false, read_capabilities,
						 print_capabilities, NULL };

/* cpu_max: "50000 100000", in one form. */

static int read_cpu_max(const struct option *o, const char *text, const struct reading *r,
			void *object, struct err *err)
{
	long long quota = 0, period = 100000;
	int end = 0;

	(void)r;
	*OPTION_AT(o, object, char *) = NULL;
	if (!*text)
		return 0;
	(void)(sscanf(text, "%lld %n%lld%n", &quota, &end, &period, &end));
	if (quota < 1000 || period < 1000 || period > 1000000 || text[end])
		return err_set(err, 0, "cannot read \"%.80s\"; it is microseconds of a period, and "
			       "the period: 1000 or more, the period at most 1000000", text);
	*OPTION_AT(o, object, char *) = mem_format("%lld %lld", quota, period);
	return 0;
}

static void print_cpu_max(const struct option *o, const void *object, struct str *out)
{
	if (*OPTION_AT_CONST(o, object, char *))
		str_add(out, *OPTION_AT_CONST(o, object, char *));
}

static void free_cpu_max(const struct option *o, void *object)
{
	free(*OPTION_AT(o, object, char *));
}

const struct option_type option_cpu_max = { "two numbers", false, read_cpu_max, print_cpu_max,
					    free_cpu_max };
