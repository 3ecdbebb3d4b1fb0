#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/linux/proc.h"
#include "platform/platform.h"

enum { ENVIRONMENT_MOST = 1 << 17 };

/* The environment as it was at exec(2), items ended by NUL; cut if it is long. */
static ssize_t read_environment(pid_t pid, char *ret, size_t size)
{
	char path[PROC_PATH_SIZE];
	size_t length = 0;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (length < size && (n = read(fd, ret + length, size - length)) > 0)
		length += (size_t)n;
	fd_close(&fd);
	return (ssize_t)length;
}

static bool has_item(pid_t pid, const char *item)
{
	static char environment[ENVIRONMENT_MOST];
	ssize_t length = read_environment(pid, environment, sizeof(environment));
	const char *at = environment;

	while (length > 0) {
		size_t n = strnlen(at, (size_t)length);

		if (n == strlen(item) && memcmp(at, item, n) == 0)
			return true;
		n = n < (size_t)length ? n + 1 : n;
		at += n;
		length -= (ssize_t)n;
	}
	return false;
}

static bool executable_of(pid_t pid, struct stat *ret)
{
	char path[PROC_PATH_SIZE];

	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	return stat(path, ret) == 0;
}

int platform_below_started_with(pid_t pid, const char *item, struct err *err)
{
	struct proc_family f;
	struct stat own, other;

	if (!executable_of(pid, &own))
		return err_sys(err, errno, "cannot look into process %ld", (long)pid);
	proc_family(pid, &f);
	for (size_t i = 0; i < f.count; i++)
		if (f.pids[i] != pid && executable_of(f.pids[i], &other) &&
		    (other.st_dev != own.st_dev || other.st_ino != own.st_ino) &&
		    has_item(f.pids[i], item))
			return 1;
	return 0;
}
