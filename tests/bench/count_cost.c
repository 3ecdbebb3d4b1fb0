/* count_cost CONNECTIONS ROUNDS: what it costs to count the connections of one
 * worker beside so many others, in a network namespace of its own.
 *
 * A line each round, in microseconds of processor time, user and system: one count
 * of one socket, one of a hundred sockets, reading /proc/net/tcp, running ss.  Ours
 * find the worker's connections by its descriptors too; the others do not. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/count.h"

enum { PORT = 8080, OTHER_PORT = 9000, MINE = 10, MANY = 100, LONG = 10000 };

static _Noreturn void fatal(const char *what)
{
	fprintf(stderr, "count_cost: %s: %s\n", what, strerror(errno));
	exit(errno == EPERM || errno == EACCES ? 4 : 1);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fatal(path);
	close(fd);
}

static void enter_namespace(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET) < 0)
		fatal("unshare");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		fatal("lo");
	close(fd);
	write_text("/proc/sys/net/ipv4/ip_local_port_range", "10000 65535");
}

/* How many connections, both ends, fit into one process. */
static unsigned most_of_one(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		fatal("getrlimit");
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		fatal("setrlimit");
	return r.rlim_cur > 40000 ? 20000 : (unsigned)(r.rlim_cur - 100) / 2;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void connect_some(int listener, unsigned count, uint16_t port)
{
	struct sockaddr_in to = loopback(port);

	while (count--) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
		    accept(listener, NULL, NULL) < 0)
			fatal("connect");
	}
}

static int listen_at(uint16_t port)
{
	struct sockaddr_in all = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, (struct sockaddr *)&all, sizeof(all)) < 0 || listen(fd, 128) < 0)
		fatal("listen");
	return fd;
}

/* A process that has connections at a port, both ends of them. */
static pid_t start_holder(unsigned count, uint16_t port)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0 || (pid = fork()) < 0)
		fatal("fork");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		connect_some(listen_at(port), count, port);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	close(ready[0]);
	return pid;
}

static double own_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double children_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static double count_sockets(pid_t pid, size_t sockets, int times)
{
	struct sockaddr_in addresses[MANY];
	struct count_socket asked[MANY];
	struct count_worker worker = { .pids = { pid } };
	double began = own_us();
	struct err err;

	for (size_t i = 0; i < sockets; i++) {
		addresses[i] = loopback((uint16_t)(i ? 1000 + i : PORT));
		addresses[i].sin_addr.s_addr = htonl(INADDR_ANY);
		asked[i] = (struct count_socket){ .sa = (struct sockaddr *)&addresses[i],
						  .length = sizeof(addresses[i]) };
	}
	for (int i = 0; i < times; i++)
		if (platform_count_connections(asked, sockets, &worker, 1, LONG, &err) < 0 ||
		    worker.connections != MINE) {
			fprintf(stderr, "count_cost: %d, not %d\n", worker.connections, MINE);
			exit(1);
		}
	return (own_us() - began) / times;
}

/* "  12: 0100007F:1F90 …:… 01 …": its port and its state, with no more ado. */
static unsigned count_lines(const char *text, const char *end, size_t *ret_used)
{
	const char *line = text, *next;
	unsigned found = 0;

	while ((next = memchr(line, '\n', (size_t)(end - line)))) {
		const char *at = memchr(line, ':', (size_t)(next - line));

		if (at && next - at > 36 && strtoul(at + 11, NULL, 16) == PORT)
			found += strtoul(at + 30, NULL, 16) == 1;
		line = next + 1;
	}
	*ret_used = (size_t)(line - text);
	return found;
}

static double read_table(void)
{
	static char room[1 << 16];
	double began = own_us();
	size_t kept = 0, used;
	unsigned found = 0;
	int fd = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while ((n = read(fd, room + kept, sizeof(room) - kept)) > 0) {
		found += count_lines(room, room + kept + n, &used);
		kept += (size_t)n - used;
		memmove(room, room + used, kept);
	}
	close(fd);
	if (found != MINE) {
		fprintf(stderr, "count_cost: /proc/net/tcp: %u, not %d\n", found, MINE);
		exit(1);
	}
	return own_us() - began;
}

static double run_ss(void)
{
	static char *const argv[] = { "ss", "-Htn", "state", "established", "sport", "=", ":8080",
				      NULL };
	double began = children_us();
	posix_spawn_file_actions_t actions;
	char room[4096];
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		fatal("pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	if (errno) {
		close(out[0]);
		return -1;
	}
	while (read(out[0], room, sizeof(room)) > 0)
		;
	close(out[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		fatal("ss");
	return children_us() - began;
}

int main(int argc, char **argv)
{
	unsigned others = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	int rounds = argc > 2 ? atoi(argv[2]) : 1, times = others > 1000 ? 3 : 20;
	unsigned most = most_of_one();
	pid_t worker;

	enter_namespace();
	worker = start_holder(MINE, PORT);
	for (uint16_t port = OTHER_PORT; others; port++) {
		unsigned some = others < most ? others : most;

		(void)start_holder(some, port);
		others -= some;
	}
	for (int i = 0; i < rounds; i++)
		printf("%.1f %.1f %.1f %.1f\n", count_sockets(worker, 1, times),
		       count_sockets(worker, MANY, times), read_table(), run_ss());
	return 0;
}
