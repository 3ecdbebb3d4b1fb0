#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"

static int bind_at(int fd, const char *path, mode_t mode, struct err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t before;
	int rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(err, ENAMETOOLONG,
			       "%s: longer than a unix socket's path may be (%zu bytes); choose a "
			       "shorter runtime_dir", path, sizeof(sa.sun_path) - 1);
	memcpy(sa.sun_path, path, strlen(path));
	(void)unlink(path);
	/* The mode is there from the first moment: chmod(2) would come after it. */
	before = umask(~mode & 0777);
	rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	(void)umask(before);
	return rc == 0 ? 0 : err_sys(err, errno, "cannot make the socket %s", path);
}

int platform_own_socket(const char *path, int type, mode_t mode, struct err *err)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(err, errno, "cannot make the socket %s", path);
	if (bind_at(fd, path, mode, err) < 0)
		fd_close(&fd);
	return fd;
}
