/* Where our groups are: the file system, the group that we are in, whether it is ours. */
#include "platform/linux/cgroup_base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/cgroup.h"

#define LEAF "supervisor"	/* no group of a generation is called so: those have a dot */

enum { FILE_MOST = 1 << 16 };

char *cgroup_read(int dir, const char *file)
{
	char *text = mem_new(FILE_MOST);
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, FILE_MOST - 1) : -1;

	fd_close(&fd);
	if (n >= 0)
		return text;
	free(text);
	return NULL;
}

/* "30 23 0:26 / /sys/fs/cgroup rw,… - cgroup2 cgroup2 rw": the fifth word. */
static char *mount_point(void)
{
	char *text = fd_read_file("/proc/self/mountinfo", 1 << 20), *found = NULL;
	char path[4096];

	for (char *line = text; line && *line && !found;) {
		char *end = strchr(line, '\n'), *type;

		if (end)
			*end = '\0';
		type = strstr(line, " - ");
		if (type && strncmp(type + 3, "cgroup2 ", 8) == 0 &&
		    sscanf(line, "%*s %*s %*s %*s %4095s", path) == 1)
			found = mem_text(path);
		line = end ? end + 1 : NULL;
	}
	free(text);
	return found;
}

/* From the root of the hierarchy; NULL: in none. */
static char *own_path(void)
{
	char *text = fd_read_file("/proc/self/cgroup", FILE_MOST), *own = NULL;

	for (char *line = text; line && *line && !own;) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (strncmp(line, "0::", 3) == 0)
			own = mem_text(line + 3);
		line = end ? end + 1 : NULL;
	}
	free(text);
	return own;
}

/* As systemd marks it, for root and for users. */
static bool is_delegated(const char *directory)
{
	static const char *const marks[] = { "trusted.delegate", "user.delegate" };
	char value[4] = "";

	for (size_t i = 0; i < COUNT(marks); i++)
		if (getxattr(directory, marks[i], value, sizeof(value) - 1) > 0 && *value == '1')
			return true;
	return false;
}

/* A manager before us may have gone to the leaf already. */
static void leave_leaf(char *path)
{
	char *last = strrchr(path, '/');

	if (last && strcmp(last, "/" LEAF) == 0)
		last[last == path] = '\0';
}

static int go_to_leaf(int base, pid_t keeper, struct err *err)
{
	const pid_t pids[] = { getpid(), keeper };
	int leaf, rc = 0;

	if ((mkdirat(base, LEAF, 0755) < 0 && errno != EEXIST) ||
	    (leaf = openat(base, LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(err, errno, "the cgroup " LEAF " cannot be made for ourselves");
	for (size_t i = 0; i < COUNT(pids) && rc == 0; i++) {
		char text[24];

		(void)snprintf(text, sizeof(text), "%ld", (long)pids[i]);
		if (pids[i] > 0 && cgroup_write(leaf, "cgroup.procs", text) < 0)
			rc = err_sys(err, errno, "process %s cannot go to the cgroup " LEAF, text);
	}
	fd_close(&leaf);
	return rc;
}

static int open_base(const char *mount, const char *path, const char *own, pid_t keeper,
		     struct err *err)
{
	char *directory = mem_format("%s%s", mount, path);
	int base = -1;

	if (!path[0] || (mkdir(directory, 0755) < 0 && errno != EEXIST))
		(void)err_sys(err, errno, "the cgroup %s cannot be made", path);
	else if ((base = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		(void)err_sys(err, errno, "the cgroup %s cannot be opened", path);
	else if (strcmp(path, own) == 0 && go_to_leaf(base, keeper, err) < 0)
		fd_close(&base);
	free(directory);
	return base;
}

static int open_delegated(const char *mount, const char *own, pid_t keeper, struct err *err)
{
	char *directory = mem_format("%s%s", mount, own);
	bool ours = is_delegated(directory);

	free(directory);
	if (!ours)
		return err_set(err, EPERM, "the cgroup that we are in, %s, was not given into our "
			       "hands (Delegate=yes of systemd); cgroup = /PATH names another", own);
	return open_base(mount, own, own, keeper, err);
}

int platform_cgroup_open(const char *path, pid_t keeper, struct err *err)
{
	char *mount = mount_point(), *own = own_path();
	int base;

	if (own)
		leave_leaf(own);
	if (!mount || !own)
		base = err_set(err, ENOENT, "no file system of cgroup2 is mounted");
	else if (path)
		base = open_base(mount, path, own, keeper, err);
	else
		base = open_delegated(mount, own, keeper, err);
	free(mount);
	free(own);
	return base;
}
