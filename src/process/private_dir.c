#include "process/private_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

enum { DEPTH_MOST = 64, ENTRIES_MOST = 100000 };	/* the loop stands still meanwhile */
enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static int give_to_user(int dir, const struct program_settings *s)
{
	if (fchown(dir, s->set_user ? s->uid : geteuid(), s->set_group ? s->gid : getegid()) < 0)
		return -1;
	return fchmod(dir, 0700);
}

static int make(const char *base, const char *path, const struct program_settings *s)
{
	int dir, rc;

	if (mkdir(base, 0711) < 0 && errno != EEXIST)
		return -1;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	if ((dir = open(path, HOW)) < 0)
		return -1;
	rc = give_to_user(dir, s);
	fd_close(&dir);
	return rc;
}

char *private_dir_path(const char *base, const struct program_settings *s)
{
	return base && s->runtime_directory ? mem_format("%s/%s", base, s->name) : NULL;
}

int private_dir_make(const char *base, const char *path, const struct program_settings *s,
		     struct err *err)
{
	if (!path)
		return 0;
	/* Of another user, it goes through base: whatever our umask is. */
	if (make(base, path, s) < 0 || chmod(base, 0711) < 0)
		return err_sys(err, errno, "runtime_directory: %s", path);
	return 0;
}

static void empty(int dir, unsigned depth, unsigned *left);

static void remove_one(int dir, const char *name, unsigned depth, unsigned *left)
{
	int below;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || unlinkat(dir, name, 0) == 0)
		return;
	if ((below = openat(dir, name, HOW)) < 0)
		return;
	empty(below, depth + 1, left);
	(void)unlinkat(dir, name, AT_REMOVEDIR);
}

/* Takes dir. */
static void empty(int dir, unsigned depth, unsigned *left)
{
	DIR *all = depth < DEPTH_MOST ? fdopendir(dir) : NULL;
	struct dirent *e;

	if (!all) {
		fd_close(&dir);
		return;
	}
	while (*left && (e = readdir(all))) {
		--*left;
		remove_one(dir, e->d_name, depth, left);
	}
	(void)closedir(all);
}

void private_dir_remove(const char *base, const char *program)
{
	char *path = mem_format("%s/%s", base, program);
	unsigned left = ENTRIES_MOST;
	int dir = open(path, HOW);

	if (dir >= 0) {
		empty(dir, 0, &left);
		if (rmdir(path) < 0)
			log_warning("%s: runtime_directory: %s is not empty, and stays", program,
				    path);
		(void)rmdir(base);
	}
	free(path);
}
