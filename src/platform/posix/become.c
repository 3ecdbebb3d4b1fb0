/* Another image in the same process. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "platform/process.h"

/* A signal that came between two images would meet its default action. */
int platform_become(int file, char *const argv[], char *const env[])
{
	sigset_t all, before;
	int why;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	(void)fexecve(file, argv, env);
	why = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	errno = why;
	return -1;
}

void platform_block_signals(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

void platform_take_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
