#include "config/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/owner.h"

struct unit {
	const char *word;
	int64_t worth;
};

static const struct unit time_units[] = {
	{ "ms", 1 },	   { "s", 1000 },      { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { "", 1000 },
};
static const struct unit size_units[] = {
	{ "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { "", 1 },
};
static const struct unit no_units[] = { { "", 1 } };

static int64_t worth_of(const char *word, const struct unit *units, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, units[i].word) == 0)
			return units[i].worth;
	return 0;
}

/* Digits into *ret; -1 when there are none or too many for 64 bits. */
static int digits(const char **text, int64_t *ret)
{
	int64_t n = 0;

	if (!isdigit((unsigned char)**text))
		return -1;
	for (; isdigit((unsigned char)**text); (*text)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, **text - '0', &n))
			return -1;
	*ret = n;
	return 0;
}

/* ".25" as a part of worth, rounded down; at most nine digits matter. */
static int64_t fraction(const char **text, int64_t worth)
{
	int64_t part = 0, scale = 1;

	for (; isdigit((unsigned char)**text); (*text)++)
		if (scale < 1000000000) {
			part = part * 10 + (**text - '0');
			scale *= 10;
		}
	return (int64_t)((long double)part * (long double)worth / (long double)scale);
}

/* A number and perhaps a unit.  Two passes over a fraction: its worth is known
 * only when the unit has been read. */
static int quantity(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
	const char *at = text, *dot = NULL;
	int64_t n = 0, worth;

	if (digits(&at, &n))
		return -1;
	if (*at == '.' && count > 1 && isdigit((unsigned char)at[1])) {
		dot = ++at;
		(void)fraction(&at, 1);
	}
	worth = worth_of(at, units, count);
	if (!worth || __builtin_mul_overflow(n, worth, &n) ||
	    (dot && __builtin_add_overflow(n, fraction(&dot, worth), &n)))
		return -1;
	*ret = n;
	return 0;
}

int number_parse(const char *text, int64_t *ret, struct err *err)
{
	bool negative = *text == '-';
	int64_t n;

	if (quantity(text + negative, no_units, COUNT(no_units), &n))
		return err_set(err, 0, "cannot read \"%.80s\"; a whole number is needed", text);
	*ret = negative ? -n : n;
	return 0;
}

int duration_parse(const char *text, int64_t *ret_ms, struct err *err)
{
	if (quantity(text, time_units, COUNT(time_units), ret_ms) == 0)
		return 0;
	return err_set(err, 0,
		       "cannot read \"%.80s\"; a duration is a number with ms, s, m, h or d, "
		       "as in 250ms or 30s",
		       text);
}

int size_parse(const char *text, int64_t *ret, struct err *err)
{
	if (quantity(text, size_units, COUNT(size_units), ret) == 0)
		return 0;
	return err_set(err, 0,
		       "cannot read \"%.80s\"; a size is a number of bytes, or one with K, M or G, "
		       "as in 64K",
		       text);
}

const char *size_text(int64_t bytes, char buf[SIZE_TEXT_SIZE])
{
	static const struct unit down[] = { { "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 } };

	for (size_t i = 0; i < COUNT(down); i++)
		if (bytes && bytes % down[i].worth == 0) {
			(void)snprintf(buf, SIZE_TEXT_SIZE, "%lld%s",
				       (long long)(bytes / down[i].worth), down[i].word);
			return buf;
		}
	(void)snprintf(buf, SIZE_TEXT_SIZE, "%lld", (long long)bytes);
	return buf;
}
