#include <fcntl.h>
#include <sys/stat.h>

#include "platform/platform.h"

int64_t platform_file_born(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) < 0 || !(st.stx_mask & STATX_BTIME))
		return 0;
	return st.stx_btime.tv_sec;
}
