/* What is written into a group, on files that stand for the system's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "config/settings.h"
#include "platform/cgroup.h"

static char home[] = "/tmp/holdport-cgroup-XXXXXX";
static int base;

static void put(const char *file, const char *text)
{
	int fd = openat(base, file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void is(const char *file, const char *text)
{
	char *path = mem_format("%s/%s", home, file), *now = fd_read_file(path, 100);

	assert_non_null(now);
	assert_string_equal(now, text);
	free(path);
	free(now);
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(home))
		return -1;
	base = open(home, O_RDONLY | O_DIRECTORY);
	return base < 0 ? -1 : 0;
}

static int end(void **state)
{
	char *command = mem_format("rm -r %s", home);
	int rc = system(command);

	(void)state;
	free(command);
	(void)close(base);
	return rc;
}

static const struct cgroup_limits none = { -1, -1, NULL, -1 };

static void the_first_limit_that_is_set_is_named(void **state)
{
	struct cgroup_limits l = none;

	(void)state;
	assert_null(platform_cgroup_limit(&l));
	l.pids_max = 1;
	assert_string_equal(platform_cgroup_limit(&l), "pids_max");
	l.cpu_max = (char *)(uintptr_t)"5 10";
	assert_string_equal(platform_cgroup_limit(&l), "cpu_max");
	l.memory_max = 0;
	assert_string_equal(platform_cgroup_limit(&l), "memory_max");
}

static void a_group_without_limits_needs_no_controller(void **state)
{
	struct err err;

	(void)state;
	put("cgroup.controllers", "\n");
	assert_int_equal(platform_cgroup_make(base, "web.1", &none, &err), 0);
	assert_int_equal(platform_cgroup_make(base, "web.1", &none, &err), 0);	/* it was empty */
	assert_int_equal(platform_cgroup_remove(base, "web.1"), 0);
	assert_int_equal(platform_cgroup_remove(base, "web.1"), -1);
	assert_int_equal(errno, ENOENT);
}

static void a_controller_that_is_not_there_is_named_and_no_group_stays(void **state)
{
	struct cgroup_limits l = none;
	struct stat st;
	struct err err;

	(void)state;
	put("cgroup.controllers", "cpuset memory\n");
	put("cgroup.subtree_control", "");
	l.cpu_weight = 50;
	assert_int_equal(platform_cgroup_make(base, "web.1", &l, &err), -1);
	assert_string_equal(err.text, "cpu_weight: the controller \"cpu\" is not to be had in this "
				      "cgroup");
	assert_int_equal(fstatat(base, "web.1", &st, 0), -1);
}

/* The files of a group come with it; here they are not there. */
static void a_controller_is_enabled_before_its_file_is_written(void **state)
{
	struct cgroup_limits l = none;
	struct err err;

	(void)state;
	put("cgroup.controllers", "cpu memory pids\n");
	put("cgroup.subtree_control", "");
	l.pids_max = 20;
	assert_int_equal(platform_cgroup_make(base, "web.1", &l, &err), -1);
	assert_non_null(strstr(err.text, "pids_max: pids.max cannot be set to \"20\""));
	is("cgroup.subtree_control", "+pids");
	put("cgroup.subtree_control", "pids");
	assert_int_equal(platform_cgroup_make(base, "web.1", &l, &err), -1);
	is("cgroup.subtree_control", "pids");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_limit_that_is_set_is_named),
		cmocka_unit_test(a_group_without_limits_needs_no_controller),
		cmocka_unit_test(a_controller_that_is_not_there_is_named_and_no_group_stays),
		cmocka_unit_test(a_controller_is_enabled_before_its_file_is_written),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
