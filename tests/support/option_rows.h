/* A command line as a table: one row an option, its help beside it.
 *
 * Rows point into one struct of options; flags take no value, numbers are
 * decimal, texts are kept as they stand in argv. */
#ifndef HOLDPORT_SUPPORT_OPTION_ROWS_H
#define HOLDPORT_SUPPORT_OPTION_ROWS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_kind { OPTION_FLAG, OPTION_NUMBER, OPTION_TEXT };

struct option_row {
	const char *name;		/* without the two dashes */
	enum option_kind kind;
	void *into;			/* bool, double or const char * */
	const char *help;
};

static inline _Noreturn void option_usage(const struct option_row *rows, const char *wrong)
{
	if (wrong)
		fprintf(stderr, "cannot use \"%s\"\n", wrong);
	for (; rows->name; rows++)
		fprintf(wrong ? stderr : stdout, "  --%s%s\n\t%s\n", rows->name,
			rows->kind == OPTION_FLAG ? "" : rows->kind == OPTION_NUMBER ? " N" : " TEXT",
			rows->help);
	exit(wrong ? 2 : 0);
}

static inline bool option_take(const struct option_row *row, const char *value)
{
	char *end;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->into = true;
		return true;
	case OPTION_NUMBER:
		*(double *)row->into = strtod(value, &end);
		return *value && !*end;
	case OPTION_TEXT:
		*(const char **)row->into = value;
		return true;
	}
	return false;
}

/* Ends the program, with the table as help, on a word it does not know. */
static inline void option_read(const struct option_row *rows, char **argv)
{
	while (*++argv) {
		const struct option_row *row = rows;

		if (strncmp(*argv, "--", 2) != 0)
			option_usage(rows, *argv);
		if (!strcmp(*argv, "--help"))
			option_usage(rows, NULL);
		while (row->name && strcmp(row->name, *argv + 2) != 0)
			row++;
		if (!row->name || (row->kind != OPTION_FLAG && !argv[1]))
			option_usage(rows, *argv);
		if (row->kind != OPTION_FLAG)
			argv++;
		if (!option_take(row, *argv))
			option_usage(rows, *argv);
	}
}

#endif
