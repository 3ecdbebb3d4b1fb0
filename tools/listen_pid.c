/* holdport-listen-pid COMMAND [ARG...]: runs COMMAND in its place, with
 * LISTEN_PID set to its pid.
 *
 * sd_listen_fds(3) takes sockets only if LISTEN_PID is the receiver's own pid.
 * Behind a shell that does not `exec` it is the shell's, and the server binds
 * for itself.  There:  prepare; holdport-listen-pid ./server; clean up */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { USAGE = 2, CANNOT_RUN = 126, NOT_FOUND = 127 };	/* the last two as a shell says them */

int main(int argc, char **argv)
{
	char pid[24];
	int why;

	if (argc < 2) {
		(void)fprintf(stderr, "usage: holdport-listen-pid COMMAND [ARG...]\n");
		return USAGE;
	}
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (getenv("LISTEN_FDS") && setenv("LISTEN_PID", pid, 1) < 0) {
		perror("holdport-listen-pid: LISTEN_PID");
		return CANNOT_RUN;
	}
	(void)execvp(argv[1], argv + 1);
	why = errno;
	(void)fprintf(stderr, "holdport-listen-pid: %s: %s\n", argv[1], strerror(why));
	return why == ENOENT ? NOT_FOUND : CANNOT_RUN;
}
