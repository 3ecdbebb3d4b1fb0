#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"

/* A writer whose only reader dies gets SIGPIPE, so a crash of ours would take
 * the workers along (measured).  Opened anew for reading and writing through
 * /proc, the writer's end is a reader too (fifo(7), pipe(7)). */
int platform_output_pipe(int *ret_read, int *ret_write, struct err *err)
{
	char path[64];
	int ends[2], both;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe for output");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	both = open(path, O_RDWR | O_CLOEXEC);
	if (both >= 0) {
		fd_close(&ends[1]);
		ends[1] = both;
	}
	(void)fd_non_blocking(ends[0], 1);
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}
