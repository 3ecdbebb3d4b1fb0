/* What tells a process and a boot from another one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/handle.h"
#include "platform/process.h"

int platform_anonymous_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC);
}

enum { START_TIME_FIELD = 22, STAT_SIZE = 1024 };

/* proc(5): the name, in parentheses, may hold anything, also parentheses. */
uint64_t platform_process_born(pid_t pid)
{
	char path[32], stat[STAT_SIZE] = "", *at;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, stat, sizeof(stat) - 1) <= 0 || !(at = strrchr(stat, ')'))) {
		fd_close(&fd);
		return 0;
	}
	fd_close(&fd);
	for (int field = 2; at && field < START_TIME_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

const char *platform_boot_id(char buf[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, buf, BOOT_ID_SIZE - 1) : 0;

	fd_close(&fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

/* First the handle, then the look: what the handle holds is what was looked at. */
int platform_process_find(pid_t pid, uint64_t born, struct process *ret)
{
	struct process p = { .pid = pid, .handle = platform_handle_open(pid) };

	if (p.handle >= 0 && born && platform_process_born(pid) == born) {
		*ret = p;
		return 0;
	}
	fd_close(&p.handle);
	return -1;
}

#define PIDFS 0x50494446		/* PIDFS_MAGIC */

/* The inode of a pidfd since Linux 6.9, where it has room for the whole number; before, all
 * pidfds had one, on another file system. */
static bool has_id(int handle)
{
	static enum { UNKNOWN, YES, NO } answer;
	struct statfs fs;

	if (answer == UNKNOWN && sizeof(void *) >= sizeof(uint64_t) && fstatfs(handle, &fs) == 0)
		answer = fs.f_type == PIDFS ? YES : NO;
	return answer == YES;
}

uint64_t platform_process_id(const struct process *p)
{
	struct stat st;

	if (p->handle < 0 || !has_id(p->handle) || fstat(p->handle, &st) < 0)
		return 0;
	return (uint64_t)st.st_ino;
}

int platform_process_known(pid_t pid, uint64_t id, struct process *ret)
{
	struct process p = { .pid = pid, .handle = id ? platform_handle_open(pid) : -1 };

	if (p.handle >= 0 && platform_process_id(&p) == id) {
		*ret = p;
		return 0;
	}
	fd_close(&p.handle);
	return -1;
}

/* pidfd_info of Linux 6.13, with the exit code since 6.15; by number, as the headers
 * that we build with may be older than the kernel. */
struct pidfd_exit_info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};

#define INFO_EXIT 8U			/* PIDFD_INFO_EXIT */
#define GET_INFO  _IOWR(0xff, 11, struct pidfd_exit_info)

/* ESRCH before it is reaped, and on a kernel that does not tell. */
int platform_end_of_stranger(const struct process *p, struct process_end *ret)
{
	struct pidfd_exit_info info = { .mask = INFO_EXIT };

	if (p->handle < 0)
		return -1;
	if (ioctl(p->handle, GET_INFO, &info) < 0)
		return errno == ESRCH ? 0 : -1;
	if (!(info.mask & INFO_EXIT))
		return 0;
	*ret = (struct process_end){ 0 };
	if (WIFSIGNALED(info.exit_code)) {
		ret->signal = WTERMSIG(info.exit_code);
		ret->core = WCOREDUMP(info.exit_code);
	} else {
		ret->code = WEXITSTATUS(info.exit_code);
	}
	return 1;
}
