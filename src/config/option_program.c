#include "config/option_program.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "config/quantity.h"
#include "config/unsafe.h"
#include "config/words.h"
#include "platform/platform.h"

#define FILE_MOST (1 << 20)

/* Whoever may write it chooses what a worker loads (LD_PRELOAD): it is as much a
 * command as the configuration itself. */
static char *read_safely(const char *path, struct err *err)
{
	const char *unsafe = NULL;
	char *content = NULL, *where = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && !(unsafe = file_unsafe(&st)))
		unsafe = where = path_unsafe(path);
	if (unsafe)
		(void)err_set(err, EPERM, "%s %s", path, unsafe);
	else if (!(content = fd_read_file(path, FILE_MOST)))
		(void)err_sys(err, errno, "cannot read %s", path);
	free(where);
	return content;
}

/* Lines of a file are nobody's expansions: their dollars are doubled, because
 * the list that they join is expanded at a worker's start. */
static int read_environment_file(const struct option *o, const char *text,
				 const struct reading *r, void *object, struct err *err)
{
	struct text_list lines = { 0 };
	struct str line = { 0 };
	char *path, *content;
	int rc = 0;

	if (!*text)
		return 0;
	path = option_absolute(o, text, r);
	content = read_safely(path, err);
	if (!content)
		rc = -1;
	else
		items_split(content, "\n", &lines);
	for (size_t i = 0; i < lines.count && rc == 0; i++) {
		if (lines.items[i][0] == '#')
			continue;
		str_clear(&line);
		str_add_dollars(&line, lines.items[i]);
		rc = option_lines.read(&(struct option){ .offset = o->offset, .late = true },
				       str_text(&line), r, object, err);
		if (rc < 0)
			err_in(err, "%s", path);
	}
	str_fini(&line);
	text_list_fini(&lines);
	free(content);
	free(path);
	return rc;
}

/* Its lines are printed with the list that they joined. */
static void print_nothing(const struct option *o, const void *object, struct str *out)
{
	(void)o;
	(void)object;
	(void)out;
}

const struct option_type option_environment_file = { "path", false, read_environment_file,
						     print_nothing, NULL };

/* limit_*: each row adds to one list. */

static int limit_value(const char *text, rlim_t *ret, struct err *err)
{
	int64_t n;

	if (strcmp(text, "unlimited") == 0 || strcmp(text, "infinity") == 0) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (!isdigit((unsigned char)*text) || size_parse(text, &n, NULL) < 0)
		return err_set(err, 0,
			       "cannot read \"%.80s\"; a limit is a number, perhaps with K, M or "
			       "G, or unlimited; SOFT or SOFT:HARD",
			       text);
	*ret = (rlim_t)n;
	return 0;
}

static int read_limit(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	struct program_settings *p = object;
	const char *colon = strchr(text, ':');
	char *soft = colon ? mem_text_n(text, (size_t)(colon - text)) : mem_text(text);
	struct limit limit = { .resource = (int)o->argument };
	int rc = 0;

	(void)r;
	if (*text)
		rc = limit_value(soft, &limit.value.rlim_cur, err);
	if (*text && rc == 0)
		rc = limit_value(colon ? colon + 1 : soft, &limit.value.rlim_max, err);
	free(soft);
	if (rc < 0 || !*text)
		return rc;
	if (limit.value.rlim_cur > limit.value.rlim_max)
		return err_set(err, 0, "the soft limit in \"%.80s\" is above the hard one", text);
	p->limits = mem_grow(p->limits, p->limit_count + 1, sizeof(*p->limits));
	p->limits[p->limit_count++] = limit;
	return 0;
}

static void print_limit_value(rlim_t value, struct str *out)
{
	if (value == RLIM_INFINITY)
		str_add(out, "unlimited");
	else
		str_addf(out, "%llu", (unsigned long long)value);
}

static void print_limit(const struct option *o, const void *object, struct str *out)
{
	const struct program_settings *p = object;

	for (size_t i = 0; i < p->limit_count; i++) {
		const struct limit *l = &p->limits[i];

		if (l->resource != (int)o->argument)
			continue;
		print_limit_value(l->value.rlim_cur, out);
		if (l->value.rlim_max == l->value.rlim_cur)
			continue;
		str_add(out, ":");
		print_limit_value(l->value.rlim_max, out);
	}
}

static void free_array(const struct option *o, void *object)
{
	void **array = OPTION_AT(o, object, void *);

	free(*array);
	*array = NULL;
}

/* One row of many: the first one frees for all. */
static void free_limits(const struct option *o, void *object)
{
	struct program_settings *p = object;

	free_array(o, object);
	p->limit_count = 0;
}

const struct option_type option_limit = { "SOFT or SOFT:HARD", false, read_limit, print_limit,
					  free_limits };

/* handoff: a set of words. */

static int read_handoff(const struct option *o, const char *text, const struct reading *r,
			void *object, struct err *err)
{
	static const struct option_word alone[] = { { "none", HANDOFF_NONE },
						    { "intercept", HANDOFF_INTERCEPT } };
	struct text_list words = { 0 };
	unsigned set = 0;
	int rc = 0;

	(void)r;
	items_split(text, ",\n", &words);
	for (size_t i = 0; i < words.count && rc == 0; i++) {
		int64_t bit = 0;

		rc = option_word_value(o, words.items[i], &bit, err);
		set |= (unsigned)bit;
	}
	text_list_fini(&words);
	for (size_t i = 0; i < COUNT(alone) && rc == 0; i++)
		if (set & (unsigned)alone[i].value && set != (unsigned)alone[i].value)
			rc = err_set(err, 0, "%s stands alone; leave it out, or leave out the "
				     "others", alone[i].word);
	if (rc == 0)
		*OPTION_AT(o, object, unsigned) = set;
	return rc;
}

static void print_handoff(const struct option *o, const void *object, struct str *out)
{
	unsigned set = *OPTION_AT_CONST(o, object, unsigned);
	const char *between = "";

	for (const struct option_word *w = o->words; w->word; w++)
		if (set & (unsigned)w->value) {
			str_addf(out, "%s%s", between, w->word);
			between = ", ";
		}
}

const struct option_type option_handoff = { "list of words", false, read_handoff, print_handoff,
					    NULL };

static int read_workers(const struct option *o, const char *text, const struct reading *r,
			void *object, struct err *err)
{
	if (strcmp(text, "auto") == 0) {
		*OPTION_AT(o, object, int64_t) = platform_processors();
		return 0;
	}
	if (option_number.read(o, text, r, object, err) == 0)
		return 0;
	return err_set(err, 0, "cannot read \"%.80s\"; it is a number from 0 to 1000, or auto",
		       text);
}

static void print_workers(const struct option *o, const void *object, struct str *out)
{
	option_number.print(o, object, out);
}

const struct option_type option_workers = { "number or auto", false, read_workers, print_workers,
					    NULL };

static int read_exit_codes(const struct option *o, const char *text, const struct reading *r,
			   void *object, struct err *err)
{
	struct program_settings *p = object;
	struct text_list items = { 0 };
	int rc = 0;

	items_split(text, ",\n", &items);
	p->success_exit_codes = mem_new((items.count + 1) * sizeof(int64_t));
	for (size_t i = 0; i < items.count && rc == 0; i++) {
		int64_t *at = &p->success_exit_codes[i];
		struct option one = { .type = &option_number, .min = o->min, .max = o->max };

		rc = option_number.read(&one, items.items[i], r, at, err);
	}
	p->success_exit_code_count = rc == 0 ? items.count : 0;
	text_list_fini(&items);
	return rc;
}

static void print_exit_codes(const struct option *o, const void *object, struct str *out)
{
	const struct program_settings *p = object;

	(void)o;
	for (size_t i = 0; i < p->success_exit_code_count; i++)
		str_addf(out, "%s%lld", i ? ", " : "", (long long)p->success_exit_codes[i]);
}

const struct option_type option_exit_codes = { "list of numbers", false, read_exit_codes,
					       print_exit_codes, free_array };
