#include "platform/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/linux/cgroup_base.h"

enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, NUMBER_SIZE = 24 };

/* A limit: our word, the controller that knows it, its file in a group. */
struct row {
	const char *key, *controller, *file;
	const char *(*value)(const struct cgroup_limits *l, char buf[NUMBER_SIZE]);
};

static const char *number(int64_t n, char buf[NUMBER_SIZE])
{
	(void)snprintf(buf, NUMBER_SIZE, "%lld", (long long)n);
	return n >= 0 ? buf : NULL;
}

static const char *memory_max(const struct cgroup_limits *l, char buf[NUMBER_SIZE])
{
	return number(l->memory_max, buf);
}

static const char *cpu_weight(const struct cgroup_limits *l, char buf[NUMBER_SIZE])
{
	return number(l->cpu_weight, buf);
}

static const char *cpu_max(const struct cgroup_limits *l, char buf[NUMBER_SIZE])
{
	(void)buf;
	return l->cpu_max;
}

static const char *pids_max(const struct cgroup_limits *l, char buf[NUMBER_SIZE])
{
	return number(l->pids_max, buf);
}

static const struct row rows[] = {
	{ "memory_max", "memory", "memory.max", memory_max },
	{ "cpu_weight", "cpu", "cpu.weight", cpu_weight },
	{ "cpu_max", "cpu", "cpu.max", cpu_max },
	{ "pids_max", "pids", "pids.max", pids_max },
};

const char *platform_cgroup_limit(const struct cgroup_limits *l)
{
	char buf[NUMBER_SIZE];

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].value(l, buf))
			return rows[i].key;
	return NULL;
}

int cgroup_write(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fd_write_all(fd, text, strlen(text));
	fd_close(&fd);
	return rc;
}

static int open_group(int base, const char *name)
{
	return openat(base, name, HOW);
}

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = text; at && (at = strstr(at, word)); at += length)
		if ((at == text || at[-1] == ' ') && (!at[length] || strchr(" \n", at[length])))
			return true;
	return false;
}

/* In the groups of base; a controller that is on already may be all that is allowed. */
static int enable(int base, const struct row *r, struct err *err)
{
	char *there = cgroup_read(base, "cgroup.controllers");
	char *on = cgroup_read(base, "cgroup.subtree_control");
	char *word = mem_format("+%s", r->controller);
	int rc = 0;

	if (!has_word(there, r->controller))
		rc = err_set(err, ENOENT, "%s: the controller \"%s\" is not to be had in this cgroup",
			     r->key, r->controller);
	else if (!has_word(on, r->controller) &&
		 cgroup_write(base, "cgroup.subtree_control", word) < 0)
		rc = err_sys(err, errno, "%s: the controller \"%s\" cannot be enabled%s", r->key,
			     r->controller,
			     errno == EBUSY ? ", for processes stand in that cgroup itself" : "");
	free(there);
	free(on);
	free(word);
	return rc;
}

static int set_limits(int base, int group, const struct cgroup_limits *l, struct err *err)
{
	char buf[NUMBER_SIZE];

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value = rows[i].value(l, buf);

		if (!value)
			continue;
		if (enable(base, &rows[i], err) < 0)
			return -1;
		if (cgroup_write(group, rows[i].file, value) < 0)
			return err_sys(err, errno, "%s: %s cannot be set to \"%s\"", rows[i].key,
				       rows[i].file, value);
	}
	return 0;
}

int platform_cgroup_make(int base, const char *name, const struct cgroup_limits *l,
			 struct err *err)
{
	int group, rc;

	(void)platform_cgroup_remove(base, name);
	if (mkdirat(base, name, 0755) < 0 || (group = open_group(base, name)) < 0)
		return err_sys(err, errno, "the cgroup %s cannot be made", name);
	rc = set_limits(base, group, l, err);
	fd_close(&group);
	if (rc < 0)
		(void)platform_cgroup_remove(base, name);
	return rc;
}

int platform_cgroup_door(int base, const char *name)
{
	int group = open_group(base, name), door;

	if (group < 0)
		return -1;
	door = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	fd_close(&group);
	return door;
}

/* Before Linux 5.14: one after the other, as often as somebody is there. */
static int kill_each(int group)
{
	char *all = cgroup_read(group, "cgroup.procs");

	for (char *at = all, *end; at && *at; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			break;
		if (pid > 0)
			(void)kill((pid_t)pid, SIGKILL);
	}
	free(all);
	return 0;
}

int platform_cgroup_kill(int base, const char *name)
{
	int group = open_group(base, name), rc;

	if (group < 0)
		return -1;
	rc = cgroup_write(group, "cgroup.kill", "1");
	if (rc < 0 && errno == ENOENT)
		rc = kill_each(group);
	fd_close(&group);
	return rc;
}

/* What whoever is in it has made below it; files of the system are nobody's to remove. */
static void remove_below(int group)
{
	DIR *all = fdopendir(dup(group));
	struct dirent *e;

	while (all && (e = readdir(all)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			(void)platform_cgroup_remove(group, e->d_name);
	if (all)
		(void)closedir(all);
}

int platform_cgroup_remove(int base, const char *name)
{
	int group;

	if (unlinkat(base, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -1;
	if ((group = open_group(base, name)) < 0)
		return -1;
	remove_below(group);
	fd_close(&group);
	return unlinkat(base, name, AT_REMOVEDIR);
}
