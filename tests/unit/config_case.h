/* Files in a directory of their own, and what reading them says. */
#ifndef HOLDPORT_TESTS_CONFIG_CASE_H
#define HOLDPORT_TESTS_CONFIG_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/settings.h"

static char case_dir[64];
static char case_said[65536]; /* the faults of the last reading, as printed */

static inline char *case_path(const char *name)
{
	return mem_format("%s/%s", case_dir, name);
}

static inline void case_write(const char *name, const void *bytes, size_t size)
{
	char *path = case_path(name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

static inline void case_put(const char *name, const char *text)
{
	case_write(name, text, strlen(text));
}

static inline struct settings *case_noted(struct settings *s, struct faults *faults)
{
	FILE *out = fmemopen(case_said, sizeof(case_said), "w");

	assert_non_null(out);
	case_said[0] = '\0';
	faults_print(faults, out);
	(void)fclose(out);
	assert_true(!s == !!faults->count);
	faults_fini(faults);
	return s;
}

static inline struct settings *case_load_file(const char *name)
{
	struct faults faults = { 0 };
	char *path = case_path(name);
	struct settings *s = settings_load(path, &faults);

	free(path);
	return case_noted(s, &faults);
}

static inline struct settings *case_load(const char *text)
{
	case_put("main.conf", text);
	return case_load_file("main.conf");
}

/* Reads it and expects one that is right. */
static inline struct settings *case_good(const char *text)
{
	struct settings *s = case_load(text);

	if (!s)
		print_error("%s", case_said);
	assert_non_null(s);
	return s;
}

/* Reads it and expects "LINE: text" somewhere among the faults. */
static inline void case_fault(const char *text, const char *fault)
{
	assert_null(case_load(text));
	if (!strstr(case_said, fault))
		print_error("expected: %s\nsaid: %s", fault, case_said);
	assert_non_null(strstr(case_said, fault));
}

static inline size_t case_fault_count(void)
{
	size_t n = 0;

	for (const char *p = case_said; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* The files are few and have known places: rm -r does it. */
static inline int case_begin(void **state)
{
	(void)state;
	(void)strcpy(case_dir, "/tmp/holdport-config-XXXXXX");
	return mkdtemp(case_dir) ? 0 : -1;
}

static inline int case_end(void **state)
{
	char *command = mem_format("rm -r %s", case_dir);
	int rc = system(command);

	(void)state;
	free(command);
	return rc;
}

#define CASE(f) cmocka_unit_test(f)
#define CASES(...)                                                                                 \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };                                 \
		return cmocka_run_group_tests(tests, case_begin, case_end);                        \
	}

#endif
