#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "platform/platform.h"

/* pipe_write() wakes those who poll when it returns, and where it waits only if the pipe was
 * empty.  SIGIO it sends in both places. */
int platform_stalls_open(void)
{
	sigset_t io;

	(void)sigemptyset(&io);
	(void)sigaddset(&io, SIGIO);
	if (sigprocmask(SIG_BLOCK, &io, NULL) < 0)
		return -1;
	return signalfd(-1, &io, SFD_CLOEXEC | SFD_NONBLOCK);
}

int platform_stalls_hear(int pipe, int yes)
{
	int flags = fcntl(pipe, F_GETFL);

	if (flags < 0 || (yes && fcntl(pipe, F_SETOWN, getpid()) < 0))
		return -1;
	return fcntl(pipe, F_SETFL, yes ? flags | O_ASYNC : flags & ~O_ASYNC);
}

void platform_stalls_clear(int stalls)
{
	struct signalfd_siginfo info;

	while (read(stalls, &info, sizeof(info)) > 0)
		;
}
