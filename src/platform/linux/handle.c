/* pidfd_open(2), Linux 5.3; pidfd_send_signal(2), 5.1.  By number: the C
 * libraries that we build with may be older than the kernel. */
#include "platform/handle.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int platform_handle_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int platform_handle_signal(int handle, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, handle, number, NULL, 0);
}
