/* respawn COMMAND [ARG...]: starts it, and again whenever it has ended.
 *
 * The least that any supervisor does; what a crash costs is measured against it.
 * Ends when it is told to (TERM), and its command with it. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static volatile pid_t child;

static void on_term(int number)
{
	(void)number;
	if (child > 0)
		kill(child, SIGKILL);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sigaction end = { .sa_handler = on_term };

	if (argc < 2)
		return 2;
	sigaction(SIGTERM, &end, NULL);
	for (;;) {
		pid_t pid;

		if (posix_spawn(&pid, argv[1], NULL, NULL, argv + 1, environ) != 0) {
			perror(argv[1]);
			return 1;
		}
		child = pid;
		while (waitpid(pid, NULL, 0) < 0)
			;
	}
}
