#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/option.h"
#include "config/quantity.h"
#include "config/words.h"

/* Numbers, durations and sizes: one field type, three ways to write it. */

typedef int quantity_fn(const char *text, int64_t *ret, struct err *err);

static int read_quantity(const struct option *o, const char *text, quantity_fn *parse,
			 void *object, struct err *err)
{
	int64_t n = TUNE_UNSET;

	if (*text && parse(text, &n, err) < 0)
		return -1;
	if (*text && o->max && (n < o->min || n > o->max)) {
		struct option bound = { .offset = 0, .type = o->type };
		struct str min = { 0 }, max = { 0 };

		o->type->print(&bound, &o->min, &min);
		o->type->print(&bound, &o->max, &max);
		err_set(err, 0, "\"%.80s\" is out of range; it goes from %s to %s", text,
			str_text(&min), str_text(&max));
		str_fini(&min);
		str_fini(&max);
		return -1;
	}
	*OPTION_AT(o, object, int64_t) = n;
	return 0;
}

#define READ_QUANTITY(name)                                                                     \
	static int read_##name(const struct option *o, const char *text,                        \
			       const struct reading *r, void *object, struct err *err)          \
	{                                                                                       \
		(void)r;                                                                        \
		return read_quantity(o, text, name##_parse, object, err);                       \
	}
READ_QUANTITY(number)
READ_QUANTITY(duration)
READ_QUANTITY(size)

static void print_number(const struct option *o, const void *object, struct str *out)
{
	int64_t n = *OPTION_AT_CONST(o, object, int64_t);

	if (n != TUNE_UNSET || o->min < 0)
		str_addf(out, "%lld", (long long)n);
}

static void print_duration(const struct option *o, const void *object, struct str *out)
{
	int64_t ms = *OPTION_AT_CONST(o, object, int64_t);
	char buf[CLOCK_DURATION_SIZE];

	if (ms != TUNE_UNSET)
		str_add(out, clock_duration(ms, buf));
}

static void print_size(const struct option *o, const void *object, struct str *out)
{
	int64_t n = *OPTION_AT_CONST(o, object, int64_t);
	char buf[SIZE_TEXT_SIZE];

	if (n != TUNE_UNSET)
		str_add(out, size_text(n, buf));
}

const struct option_type option_number = { "number", false, read_number, print_number, NULL };
const struct option_type option_duration = { "duration", false, read_duration, print_duration,
					     NULL };
const struct option_type option_size = { "size", false, read_size, print_size, NULL };

/* Words. */

static int read_words(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	int64_t value;

	(void)r;
	if (option_word_value(o, text, &value, err) < 0)
		return -1;
	*OPTION_AT(o, object, int) = (int)value;
	return 0;
}

static const char *word_of(const struct option_word *w, int64_t value)
{
	while (w->word && w->value != value)
		w++;
	return w->word ? w->word : "";
}

static void print_words(const struct option *o, const void *object, struct str *out)
{
	str_add(out, word_of(o->words, *OPTION_AT_CONST(o, object, int)));
}

static const struct option_word yes_no[] = { { "yes", 1 }, { "no", 0 }, { NULL, 0 } };

static int read_yes_no(const char *text, int64_t *ret, struct err *err)
{
	return option_word_value(&(struct option){ .words = yes_no }, text, ret, err);
}

static int read_bool(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	int64_t yes;

	(void)r;
	if (read_yes_no(text, &yes, err) < 0)
		return -1;
	*OPTION_AT(o, object, bool) = yes;
	return 0;
}

static void print_bool(const struct option *o, const void *object, struct str *out)
{
	str_add(out, *OPTION_AT_CONST(o, object, bool) ? "yes" : "no");
}

static int read_flag(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	int64_t value = TUNE_UNSET;

	(void)r;
	if (*text && read_yes_no(text, &value, err) < 0)
		return -1;
	*OPTION_AT(o, object, int64_t) = value;
	return 0;
}

static void print_flag(const struct option *o, const void *object, struct str *out)
{
	str_add(out, word_of(yes_no, *OPTION_AT_CONST(o, object, int64_t)));
}

/* A key that is known and can be nothing else yet. */
static int read_fixed(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	struct option_word only[] = { { o->preset, 0 }, { NULL, 0 } };
	struct option row = { .words = only, .not_yet = o->not_yet };
	int64_t unused;

	(void)r;
	(void)object;
	return option_word_value(&row, text, &unused, err);
}

static void print_fixed(const struct option *o, const void *object, struct str *out)
{
	(void)object;
	str_add(out, o->preset);
}

const struct option_type option_words = { "word", false, read_words, print_words, NULL };
const struct option_type option_bool = { "yes or no", false, read_bool, print_bool, NULL };
const struct option_type option_flag = { "yes or no", false, read_flag, print_flag, NULL };
const struct option_type option_fixed = { "word", false, read_fixed, print_fixed, NULL };

/* Octal. */

static int octal(const char *text, int64_t *ret, struct err *err)
{
	int64_t n = 0;

	if (!*text || strlen(text) > 5 || text[strspn(text, "01234567")])
		return err_set(err, 0,
			       "cannot read \"%.80s\"; an octal mode such as 0660 is needed", text);
	for (; *text; text++)
		n = n * 8 + (*text - '0');
	if (n > 07777)
		return err_set(err, 0, "0%llo is out of range; it goes to 07777", (long long)n);
	*ret = n;
	return 0;
}

static int read_mode(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	int64_t n;

	(void)r;
	if (octal(text, &n, err) < 0)
		return -1;
	*OPTION_AT(o, object, int) = (int)n;
	return 0;
}

static void print_mode(const struct option *o, const void *object, struct str *out)
{
	str_addf(out, "0%03o", (unsigned)*OPTION_AT_CONST(o, object, int));
}

static int read_mask(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	int64_t n = TUNE_UNSET;

	(void)r;
	if (*text && octal(text, &n, err) < 0)
		return -1;
	*OPTION_AT(o, object, int64_t) = n;
	return 0;
}

static void print_mask(const struct option *o, const void *object, struct str *out)
{
	int64_t n = *OPTION_AT_CONST(o, object, int64_t);

	if (n != TUNE_UNSET)
		str_addf(out, "0%03o", (unsigned)n);
}

const struct option_type option_mode = { "octal mode", false, read_mode, print_mode, NULL };
const struct option_type option_mask = { "octal mode", false, read_mask, print_mask, NULL };
