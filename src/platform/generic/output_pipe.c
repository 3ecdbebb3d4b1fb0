#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"

int platform_output_pipe(int *ret_read, int *ret_write, struct err *err)
{
	int ends[2];

	if (pipe(ends) < 0)
		return err_sys(err, errno, "cannot make a pipe for output");
	(void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	(void)fd_non_blocking(ends[0], 1);
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}
