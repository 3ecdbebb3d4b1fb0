#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "platform/process.h"

int platform_anonymous_file(const char *name)
{
	FILE *f = tmpfile();
	int fd = f ? fcntl(fileno(f), F_DUPFD_CLOEXEC, 0) : -1;

	(void)name;
	if (f)
		(void)fclose(f);
	return fd;
}

uint64_t platform_process_born(pid_t pid)
{
	(void)pid;
	return 0;
}

const char *platform_boot_id(char buf[BOOT_ID_SIZE])
{
	buf[0] = '\0';
	return buf;
}

/* Without a proof that it is the same one it is left alone. */
int platform_process_find(pid_t pid, uint64_t born, struct process *ret)
{
	(void)pid;
	(void)born;
	(void)ret;
	errno = ENOTSUP;
	return -1;
}

uint64_t platform_process_id(const struct process *p)
{
	(void)p;
	return 0;
}

int platform_process_known(pid_t pid, uint64_t id, struct process *ret)
{
	(void)pid;
	(void)id;
	(void)ret;
	errno = ENOTSUP;
	return -1;
}

int platform_end_of_stranger(const struct process *p, struct process_end *ret)
{
	(void)p;
	(void)ret;
	return -1;
}
