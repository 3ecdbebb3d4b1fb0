#include "socket/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/platform.h"

struct unix_path unix_path_note(const struct key *key)
{
	const char *path = address_path(&key->address);
	struct stat st;

	if (!path || lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return (struct unix_path){ .inode = 0 };
	return (struct unix_path){ .device = st.st_dev, .inode = st.st_ino };
}

void unix_path_remove(const struct key *key, const struct unix_path *noted)
{
	struct unix_path now = unix_path_note(key);

	if (noted->inode && now.inode == noted->inode && now.device == noted->device)
		(void)unlink(address_path(&key->address));
}

/* 0, or the errno of a connect(2); EAGAIN is somebody whose queue is full. */
static int knock(const struct key *key)
{
	int fd = socket(AF_UNIX, key->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), why = 0;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&key->address.sa, key->address.length))
		why = errno;
	fd_close(&fd);
	return why;
}

/* 0: nothing is there, or *ret_stale that nobody listens to; -1 and who is. */
static int look(const struct key *key, struct unix_path *ret_stale, struct err *err)
{
	const char *path = address_path(&key->address);
	struct stat st;
	int why;

	*ret_stale = unix_path_note(key);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, EADDRINUSE, "%s exists and is not a socket", path);
	why = knock(key);
	if (why == 0 || why == EAGAIN)
		return err_set(err, EADDRINUSE, "%s is taken: somebody answers on it", path);
	if (why == EPROTOTYPE)
		return err_set(err, EADDRINUSE, "%s is taken by a socket of another type", path);
	if (why != ECONNREFUSED && why != ENOENT)
		return err_set(err, EADDRINUSE, "%s exists, and whether somebody is behind it "
			       "cannot be seen (%s)", path, strerror(why));
	return 0;
}

int unix_path_clear(const struct key *key, struct err *err)
{
	struct unix_path stale;

	if (look(key, &stale, err))
		return -1;
	unix_path_remove(key, &stale);
	if (stale.inode && unix_path_note(key).inode == stale.inode)
		return err_set(err, EADDRINUSE, "%s was left by a socket that is gone, and "
			       "cannot be removed", address_path(&key->address));
	return 0;
}

static void explain_stale(const char *path, struct str *ret)
{
	struct passwd *owner = NULL;
	struct stat st;

	str_addf(ret, "%s was left by a socket that is gone, and cannot be removed", path);
	if (lstat(path, &st) == 0 && (owner = getpwuid(st.st_uid)))
		str_addf(ret, ": it belongs to user %s", owner->pw_name);
}

static void explain_taken(const struct key *key, const char *path, struct str *ret)
{
	struct unix_path stale;
	struct err err;

	if (look(key, &stale, &err))
		str_add(ret, err.text);
	else if (stale.inode)
		explain_stale(path, ret);
	else
		str_addf(ret, "%s was taken, and is not any more", path);
}

static char *directory_of(const char *path)
{
	char *directory = mem_text(path), *slash = strrchr(directory, '/');

	slash[slash == directory] = '\0';
	return directory;
}

/* Whether an entry of that owner may be removed from the directory. */
static bool may_remove(const char *directory, uid_t owner)
{
	struct stat st;

	if (stat(directory, &st) < 0 || access(directory, W_OK | X_OK) < 0)
		return false;
	return !(st.st_mode & S_ISVTX) || geteuid() == 0 || owner == geteuid() ||
	       st.st_uid == geteuid();
}

int unix_path_try(const struct key *key)
{
	const char *path = address_path(&key->address);
	char *directory = directory_of(path);
	struct unix_path stale;
	struct err err = { 0 };
	struct stat st;
	int why = 0;

	if (lstat(path, &st) < 0)
		why = errno == ENOENT && access(directory, W_OK | X_OK) == 0 ? 0 : errno;
	else if (look(key, &stale, &err))
		why = err.code;
	else if (stale.inode && !may_remove(directory, st.st_uid))
		why = EADDRINUSE;
	free(directory);
	return why;
}

static void explain_directory(const char *path, int bind_errno, struct str *ret)
{
	char *directory = directory_of(path);

	if (bind_errno == ENOENT)
		str_addf(ret, "%s: the directory %s does not exist", path, directory);
	else if (bind_errno == ENOTDIR)
		str_addf(ret, "%s: a part of %s is not a directory", path, directory);
	else
		str_addf(ret, "%s: not permitted to make a socket in %s", path, directory);
	free(directory);
}

void unix_path_explain(const struct key *key, int bind_errno, struct str *ret)
{
	const char *path = address_path(&key->address);

	switch (bind_errno) {
	case EADDRINUSE:
		explain_taken(key, path, ret);
		break;
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case EROFS:
		explain_directory(path, bind_errno, ret);
		break;
	default:
		str_addf(ret, "cannot bind %s: %s", path, strerror(bind_errno));
	}
}

static int cannot_bind(const struct key *key, int why, struct err *err)
{
	struct str text = { 0 };

	unix_path_explain(key, why, &text);
	(void)err_set(err, why, "%s", str_text(&text));
	str_fini(&text);
	return -1;
}

/* What a worker binds belongs to his user, as if he had made it: he may want to
 * chmod(2) it.  Links are not followed: who may write to the directory could point
 * one at any file of the system. */
static int set_owner(const char *path, const struct socket_settings *s, struct err *err)
{
	uid_t uid = s->uid == (uid_t)-1 && s->by_worker ? s->worker_uid : s->uid;

	if (uid == (uid_t)-1 && s->gid == (gid_t)-1)
		return 0;
	if (fchownat(AT_FDCWD, path, uid, s->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "%s: cannot set the owner of %s",
			       uid == (uid_t)-1 ? "group" : "owner", path);
	return 0;
}

/* The umask makes the file with its final mode: there is no moment at which it
 * is wider, and no chmod(2) that a link could lead astray. */
int unix_path_bind(int fd, const struct key *key, const struct socket_settings *s, struct err *err)
{
	const char *path = address_path(&key->address);
	const struct sockaddr *sa = (const struct sockaddr *)&key->address.sa;
	mode_t ours = umask(~(mode_t)s->mode & 0777);
	int rc = platform_bind(fd, sa, key->address.length), why = errno;
	struct unix_path made;

	(void)umask(ours);
	if (rc < 0)
		return cannot_bind(key, why, err);
	made = unix_path_note(key);
	if (set_owner(path, s, err)) {
		unix_path_remove(key, &made);
		return -1;
	}
	return 0;
}

int unix_path_retune(const struct key *key, const struct socket_settings *s, struct err *err)
{
	const char *path = address_path(&key->address);

	if (!path)
		return 0;
	if (fchmodat(AT_FDCWD, path, (mode_t)s->mode & 0777, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "mode: cannot set the mode of %s", path);
	return set_owner(path, s, err);
}
