/* sleeper FIFO: says that it runs, by one byte into FIFO, then sleeps for ever.
 *
 * What supervisors are measured with: a thousand of them cost next to nothing,
 * and who reads the FIFO knows when the last is up without a look at /proc. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0 || write(fd, ".", 1) != 1) {
		perror("sleeper");
		return 1;
	}
	close(fd);
	for (;;)
		pause();
}
