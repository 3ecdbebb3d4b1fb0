#include "supervisor/runtime_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "config/unsafe.h"
#include "platform/handle.h"
#include "platform/process.h"

static int make_parents(const char *path, struct err *err)
{
	char *copy = mem_text(path);
	int rc = 0;

	for (char *slash = strchr(copy + 1, '/'); slash && rc == 0; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			rc = err_sys(err, errno, "cannot make the directory %s", copy);
		*slash = '/';
	}
	free(copy);
	return rc;
}

/* 0755: clients of other users come as far as the control socket and are told
 * there what they may.  Below /tmp nobody else gets in at all. */
static int make(const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(err, errno, "cannot make the directory %s", path);
	if (lstat(path, &st) < 0)
		return err_sys(err, errno, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "%s: not a directory (a link is not followed)", path);
	if (st.st_uid != geteuid())
		return err_set(err, EPERM, "%s: belongs to user %ld, not to %ld who runs this",
			       path, (long)st.st_uid, (long)geteuid());
	if (st.st_mode & 022)
		return err_set(err, EPERM, "%s: others may write it (mode %04o); chmod go-w it",
			       path, (unsigned)st.st_mode & 07777);
	return 0;
}

static int refuse(int lock, const char *path, struct err *err)
{
	char pid[32] = "?";
	ssize_t n = pread(lock, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? n : 1] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return err_set(err, EWOULDBLOCK, "another supervisor runs in %s: pid %s", path, pid);
}

/* Whoever may write the directory around it could put another in its place. */
static int check_parent(const char *path, struct err *err)
{
	char *parent = mem_text(path), *slash = strrchr(parent, '/');
	const char *why;
	struct stat st;
	int rc = 0;

	if (slash)
		slash[slash == parent] = '\0';
	if (slash && stat(parent, &st) == 0 && (why = directory_open(&st)))
		rc = err_set(err, EPERM, "%s lies in %s, which %s", path, parent, why);
	free(parent);
	return rc;
}

/* The directory is ours, but it may be older than we are: what stands where the
 * control socket goes is replaced only if it is a socket. */
static int check_control(const char *path, struct err *err)
{
	char *name = mem_format("%s/control", path);
	struct stat st;
	int rc = 0;

	if (lstat(name, &st) == 0 && !S_ISSOCK(st.st_mode))
		rc = err_set(err, EEXIST, "%s is %s, not a socket of holdport; remove it", name,
			     S_ISLNK(st.st_mode) ? "a link" : "something else");
	free(name);
	return rc;
}

static int check_lock(int lock, const char *name, struct err *err)
{
	struct stat st;

	if (fstat(lock, &st) < 0)
		return err_sys(err, errno, "%s", name);
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_uid != geteuid())
		return err_set(err, EPERM, "%s is not a file of our own; remove it", name);
	return 0;
}

int runtime_dir_sign(int lock, pid_t pid, struct err *err)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)pid);

	if (ftruncate(lock, 0) < 0 || pwrite(lock, text, (size_t)length, 0) != length)
		return err_sys(err, errno, "cannot write the lock");
	return 0;
}

/* Its parent may not have looked yet. */
static bool is_dead(pid_t pid)
{
	struct process p = { .pid = pid, .handle = platform_handle_open(pid) };
	bool dead = p.handle >= 0 && platform_has_ended(&p);

	fd_close(&p.handle);
	return dead;
}

bool runtime_dir_is_signed(const char *path)
{
	char *name = mem_format("%s/lock", path), *text = fd_read_file(name, 64);
	long pid = text ? strtol(text, NULL, 10) : 0;

	free(text);
	free(name);
	return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno != ESRCH) && !is_dead((pid_t)pid);
}

/* The pid is for people; what counts is the lock, which ends with its holder.
 * Who may read the file may lock it, and keep us from starting: nobody else may. */
static int lock_it(const char *path, pid_t pid, struct err *err)
{
	char *name = mem_format("%s/lock", path);
	int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int rc = -1;

	if (lock < 0 && errno == ELOOP)
		(void)err_set(err, ELOOP, "%s is a link; remove it", name);
	else if (lock < 0)
		(void)err_sys(err, errno, "cannot open %s", name);
	else if (check_lock(lock, name, err) < 0)
		;
	else if (fchmod(lock, 0600) < 0)
		(void)err_sys(err, errno, "cannot keep others from %s", name);
	else if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		(void)refuse(lock, path, err);
	else if (runtime_dir_sign(lock, pid, err) == 0)
		rc = fd_take(&lock);
	fd_close(&lock);
	free(name);
	return rc;
}

int runtime_dir_take(const char *path, pid_t pid, struct err *err)
{
	/* The workers of root may be other users, who must reach their sockets. */
	bool shared = strncmp(path, "/tmp/", 5) == 0 && geteuid() != 0;

	if (make_parents(path, err) < 0 || make(path, shared ? 0700 : 0755, err) < 0 ||
	    check_parent(path, err) < 0 || check_control(path, err) < 0)
		return err_in(err, "runtime_dir");
	return lock_it(path, pid, err);
}

int runtime_dir_sub(const char *path, struct err *err)
{
	return make(path, 0711, err) < 0 ? err_in(err, "runtime_dir") : 0;
}

void runtime_dir_remove(const char *path)
{
	char *name = mem_format("%s/lock", path);

	(void)unlink(name);
	(void)rmdir(path);
	free(name);
}
