#include <fcntl.h>
#include <unistd.h>

#include "platform/process.h"

void platform_close_on_exec_from(int first)
{
	long most = sysconf(_SC_OPEN_MAX);

	for (int fd = first; fd < (most > 0 && most < 65536 ? most : 65536); fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}
