#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "platform/linux/proc.h"
#include "platform/platform.h"

/* Resident pages that are not of files and not shared memory; -1: it is gone. */
static int64_t own_pages(pid_t pid)
{
	char path[PROC_PATH_SIZE];
	long long size, resident, shared;
	int64_t pages = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%lld %lld %lld", &size, &resident, &shared) == 3 && resident >= shared)
		pages = resident - shared;
	(void)fclose(f);
	return pages;
}

int platform_memory_of(pid_t pid, int64_t *ret, struct err *err)
{
	struct proc_family f;
	int64_t all = own_pages(pid);

	if (all < 0)
		return err_set(err, ESRCH, "process %ld is gone", (long)pid);
	proc_family(pid, &f);
	for (size_t i = 1; i < f.count; i++) {
		int64_t pages = own_pages(f.pids[i]);

		all += pages > 0 ? pages : 0;
	}
	*ret = all * sysconf(_SC_PAGESIZE);
	return 0;
}
