/* A file that is held open after another one took its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "process/executable.h"

static char dir[] = "/tmp/holdport-executable-XXXXXX";
static char path[64];

static void put(const char *text)
{
	char fresh[64];
	FILE *f;

	(void)snprintf(fresh, sizeof(fresh), "%s/fresh", dir);
	f = fopen(fresh, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
	assert_int_equal(chmod(fresh, 0755), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/server", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void a_replaced_file_is_to_be_had_only_from_who_holds_it(void **state)
{
	struct executable e = EXECUTABLE_NONE, copy;

	(void)state;
	assert_false(executable_only_here(&e, "server"));
	put("\177ELF one");
	executable_hold(&e, "server", path);
	assert_false(executable_only_here(&e, "server"));
	put("\177ELF two");
	assert_true(executable_only_here(&e, "server"));
	assert_false(executable_only_here(&e, "another"));
	executable_copy(&e, &copy);
	executable_hold(&e, "another", "/bin/sh");	/* it holds one already */
	assert_string_equal(e.file->word, "server");
	executable_let_go(&e);
	assert_int_equal(unlink(path), 0);
	assert_true(executable_only_here(&copy, "server"));
	executable_let_go(&copy);
	executable_let_go(&copy);
}

static void one_file_is_held_once(void **state)
{
	struct executable one = EXECUTABLE_NONE, other = EXECUTABLE_NONE, newer = EXECUTABLE_NONE;

	(void)state;
	put("\177ELF one");
	executable_hold(&one, "server", path);
	executable_hold(&other, "server", path);
	assert_ptr_equal(one.file, other.file);
	put("\177ELF two");
	executable_hold(&newer, "server", path);
	assert_ptr_not_equal(newer.file, one.file);
	executable_let_go(&one);
	assert_true(executable_only_here(&other, "server"));
	assert_false(executable_only_here(&newer, "server"));
	executable_let_go(&other);
	executable_let_go(&newer);
}

static void a_script_is_not_held(void **state)
{
	struct executable e = EXECUTABLE_NONE;

	(void)state;
	put("#!/bin/sh\n");
	executable_hold(&e, "server", path);
	put("#!/bin/false\n");
	assert_false(executable_only_here(&e, "server"));
	assert_int_equal(e.file->fd, -1);
	executable_let_go(&e);
}

static unsigned closed;

static void note_closed(unsigned kept, void *ctx)
{
	(void)ctx;
	closed = kept;
}

static void a_successor_has_it_once_for_all(void **state)
{
	struct executable one = EXECUTABLE_NONE, other = EXECUTABLE_NONE, fresh = EXECUTABLE_NONE;
	int fd, none = -1;

	(void)state;
	put("\177ELF one");
	fd = open(path, O_PATH | O_CLOEXEC);
	executable_on_close(note_closed, NULL);
	executable_revive(&one, "server", path, 7, &none);
	assert_null(one.file);				/* nobody has it */
	executable_revive(&one, "server", path, 7, &fd);
	assert_int_equal(fd, -1);
	executable_revive(&other, "server", path, 7, &none);
	assert_ptr_equal(one.file, other.file);
	executable_hold(&fresh, "server", path);	/* the same file, found now */
	assert_ptr_equal(fresh.file, one.file);
	put("\177ELF two");
	assert_true(executable_only_here(&one, "server"));
	executable_let_go(&one);
	executable_let_go(&other);
	assert_int_equal(closed, 0);
	executable_let_go(&fresh);
	assert_int_equal(closed, 7);
	executable_on_close(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replaced_file_is_to_be_had_only_from_who_holds_it),
		cmocka_unit_test(one_file_is_held_once),
		cmocka_unit_test(a_script_is_not_held),
		cmocka_unit_test(a_successor_has_it_once_for_all),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
