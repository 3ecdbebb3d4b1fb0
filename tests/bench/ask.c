/* ask PORT COUNT [keep]: so many requests to 127.0.0.1, one after the other, each over a
 * connection of its own, or all over one.  Exit code 0 when each was answered. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char closing[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
static const char keeping[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

static int connect_to(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		exit(1);
	return fd;
}

/* An answer that is kept alive comes in one piece: it is small. */
static void ask(int fd, const char *question, bool to_its_end)
{
	char answer[4096];
	ssize_t n;

	if (send(fd, question, strlen(question), MSG_NOSIGNAL) < 0)
		exit(1);
	n = recv(fd, answer, sizeof(answer), 0);
	if (n < 12 || memcmp(answer, "HTTP/1.1 200", 12) != 0)
		exit(1);
	while (to_its_end && n > 0)
		n = recv(fd, answer, sizeof(answer), 0);
}

int main(int argc, char **argv)
{
	int port = argc > 2 ? atoi(argv[1]) : 0, count = argc > 2 ? atoi(argv[2]) : 0, fd;

	if (!count)
		return 2;
	fd = connect_to(port);
	while (argc > 3 && count-- > 0)
		ask(fd, keeping, false);
	close(fd);
	while (argc == 3 && count-- > 0) {
		fd = connect_to(port);
		ask(fd, closing, true);
		close(fd);
	}
	return 0;
}
