/* FILE, FILE.1, FILE.2: moved on, and nothing lost where that was cut short. */
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

#include "base/fd.h"
#include "base/owner.h"
#include "logs/log_file.h"
#include "logs/pack.h"
#include "logs/rotate.h"

static char dir[] = "/tmp/hp-rotate.XXXXXX";

static char *named(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	assert_int_equal(fd_replace_file(named(name), text, 0600), 0);
}

static void expect(const char *name, const char *text)
{
	char *found = fd_read_file(named(name), 4096);

	if (text)
		assert_non_null(found);
	else
		assert_null(found);
	if (text)
		assert_string_equal(found, text);
	free(found);
}

static int clean(void **state)
{
	static const char *const names[] = { "log", "log.1", "log.2", "log.3", "log.4",
		"log.2.gz", "log.3.gz", "log.4.gz", "log.packing" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlink(named(names[i]));
	return 0;
}

static void each_goes_one_further(void **state)
{
	struct err err;

	(void)state;
	put("log", "c");
	put("log.1", "b");
	put("log.2", "a");
	assert_int_equal(rotate(named("log"), 2, &err), 0);
	expect("log", NULL);
	expect("log.1", "c");
	expect("log.2", "b");
	expect("log.3", NULL);
}

static void a_gap_is_filled_and_nothing_behind_it_moves(void **state)
{
	struct err err;

	(void)state;
	put("log", "c");
	put("log.1", "b");
	put("log.3", "a");
	assert_int_equal(rotate(named("log"), 3, &err), 0);
	expect("log.1", "c");
	expect("log.2", "b");
	expect("log.3", "a");
}

static void those_beyond_what_is_kept_go(void **state)
{
	struct err err;

	(void)state;
	put("log", "d");
	put("log.1", "c");
	put("log.2", "b");
	put("log.3", "a");
	assert_int_equal(rotate(named("log"), 1, &err), 0);
	expect("log.1", "d");
	expect("log.2", NULL);
	expect("log.3", NULL);
}

static void packed_ones_go_along(void **state)
{
	struct err err;

	(void)state;
	put("log", "c");
	put("log.1", "b");
	put("log.2.gz", "a");
	assert_int_equal(rotate(named("log"), 3, &err), 0);
	expect("log.1", "c");
	expect("log.2", "b");
	expect("log.2.gz", NULL);
	expect("log.3.gz", "a");
	put("log", "d");
	assert_int_equal(rotate(named("log"), 2, &err), 0);
	expect("log.2", "c");
	expect("log.3.gz", NULL);
}

static void all_but_the_newest_are_packed(void **state)
{
	struct pack p;
	char *packed;

	(void)state;
	put("log.1", "c");
	put("log.2", "b");
	put("log.3", "a");
	pack_init(&p);
	while (pack_some(&p, named("log"), 4))
		;
	expect("log.1", "c");
	expect("log.2", NULL);
	expect("log.3", NULL);
	packed = fd_read_file(named("log.3.gz"), 4096);
	assert_non_null(packed);
	assert_memory_equal(packed, "\x1f\x8b", 2);
	free(packed);
	expect("log.packing", NULL);
}

static void one_that_moves_on_while_it_is_packed_is_found(void **state)
{
	struct pack p;
	struct err err;

	(void)state;
	put("log", "c");
	put("log.1", "b");
	put("log.2", "a");
	pack_init(&p);
	assert_true(pack_some(&p, named("log"), 4));
	assert_int_equal(rotate(named("log"), 4, &err), 0);
	while (p.to && pack_some(&p, named("log"), 4))
		;
	expect("log.3", NULL);
	assert_int_equal(access(named("log.3.gz"), F_OK), 0);
	pack_stop(&p);
}

static struct log_file file_of(int64_t size, int64_t keep)
{
	static char path[128];
	struct log_file f;

	log_file_init(&f);
	f.target = (struct log_target){ .max_size = size, .keep = keep };
	(void)snprintf(path, sizeof(path), "%s", named("log"));
	f.target.path = path;
	return f;
}

static void say(struct log_file *f, const char *text)
{
	size_t done = 0;
	struct err err;

	assert_int_equal(log_file_write(f, text, strlen(text), &done, &err), 0);
	assert_int_equal(done, strlen(text));
}

static void a_file_turns_over_between_lines(void **state)
{
	struct log_file f = file_of(10, 4);

	(void)state;
	say(&f, "1234\n1234\n1\n");
	expect("log.1", "1234\n1234\n");
	expect("log", "1\n");
	say(&f, "a line that is longer than that\n2\n");
	expect("log.2", "1\n");
	expect("log.1", "a line that is longer than that\n");
	expect("log", "2\n");
	log_file_fini(&f);
}

static void what_was_in_it_counts(void **state)
{
	struct log_file f = file_of(10, 4);

	(void)state;
	put("log", "12345678\n");
	say(&f, "1\n");
	expect("log.1", "12345678\n");
	expect("log", "1\n");
	log_file_fini(&f);
}

static void what_was_dropped_is_said_first(void **state)
{
	struct log_file f = file_of(0, 1);

	(void)state;
	log_file_drop(&f, LOG_UNWRITTEN, 3, 100, "No space left");
	log_file_drop(&f, LOG_UNWRITTEN, 1, 11, "No space left");
	say(&f, "1\n");
	expect("log", "holdport: 4 lines (111 bytes) are missing here: No space left\n1\n");
	log_file_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_goes_one_further, clean),
		cmocka_unit_test_teardown(a_gap_is_filled_and_nothing_behind_it_moves, clean),
		cmocka_unit_test_teardown(those_beyond_what_is_kept_go, clean),
		cmocka_unit_test_teardown(packed_ones_go_along, clean),
		cmocka_unit_test_teardown(all_but_the_newest_are_packed, clean),
		cmocka_unit_test_teardown(one_that_moves_on_while_it_is_packed_is_found, clean),
		cmocka_unit_test_teardown(a_file_turns_over_between_lines, clean),
		cmocka_unit_test_teardown(what_was_in_it_counts, clean),
		cmocka_unit_test_teardown(what_was_dropped_is_said_first, clean),
	};
	int rc;

	if (!mkdtemp(dir))
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(dir);
	return rc;
}
