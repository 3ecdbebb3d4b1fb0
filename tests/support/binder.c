/* A server that was never taught: it binds for itself, in as many ways as servers
 * do.  Linked statically, so that nothing preloaded reaches it.
 *
 *   binder [OPTION]... HOST:PORT|unix:PATH|unix:@NAME...
 *
 * Answers every request, or datagram, with --name.  TERM: no more are accepted, what
 * was accepted is answered.  Tells on stdout of each bind(2) and listen(2):
 *
 *   bind 127.0.0.1:80: errno=0 inode=4711 cloexec=1 nonblock=1 nodelay=0 backlog=4096
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "bind_ways.h"

static struct {
	const char *name;
	int udp, v6only, nodelay, reuseport, epoll_first, forks, off_thread, blocking, no_cloexec;
	int threads, restless, stuck, steal, dup_first, seqpacket, unlink_first, unlink_last;
	int steal_one, by_32_bits, by_x32, by_ring, elsewhere;
} how = { .name = "binder", .v6only = -1, .threads = 1 };

static int stop_pipe[2];

static socklen_t read_unix(const char *name, struct sockaddr_un *ret)
{
	size_t length = strlen(name);

	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, name, length);
	if (*name != '@')
		return sizeof(*ret);
	ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static socklen_t read_address(const char *text, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	char host[64] = "";
	unsigned port;

	memset(ret, 0, sizeof(*ret));
	if (strncmp(text, "unix:", 5) == 0 && strlen(text) < 100)
		return read_unix(text + 5, (struct sockaddr_un *)ret);
	if (sscanf(text, "[%63[^]]]:%u", host, &port) == 2) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((unsigned short)port);
		if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1)
			return sizeof(*in6);
	} else if (sscanf(text, "%63[^:]:%u", host, &port) == 2) {
		in->sin_family = AF_INET;
		in->sin_port = htons((unsigned short)port);
		if (inet_pton(AF_INET, host, &in->sin_addr) == 1)
			return sizeof(*in);
	}
	fprintf(stderr, "binder: not an address: %s\n", text);
	exit(2);
}

static int number(int fd, int level, int option)
{
	socklen_t length = sizeof(int);
	int value = -1;

	getsockopt(fd, level, option, &value, &length);
	return value;
}

static void tell(const char *call, const char *address, int fd, int why)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);
	struct stat st = { 0 };

	fstat(fd, &st);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	printf("%s %s: errno=%d inode=%lu cloexec=%d nonblock=%d nodelay=%d backlog=%u\n", call,
	       address, why, (unsigned long)st.st_ino, fcntl(fd, F_GETFD) & FD_CLOEXEC ? 1 : 0,
	       fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0, number(fd, IPPROTO_TCP, TCP_NODELAY),
	       info.tcpi_sacked);
	fflush(stdout);
}

static void set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* Memory that never answers whoever reads it. */
static void *bottomless(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (unsigned long)page, 4096 },
					 .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 || ioctl(fd, UFFDIO_REGISTER, &range) < 0) {
		printf("binder: no userfaultfd\n");
		exit(4);
	}
	return page;
}

/* Reads what is reported of itself, as long as it lives. */
static void *steal(void *arg)
{
	struct {
		struct seccomp_notif one;
		char more[512];
	} n;
	int fd = 1000;

	for (;;) {
		memset(&n, 0, sizeof(n));
		ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n);
	}
	return arg;
}

/* One report, as somebody who dies before he answers. */
static void *steal_one(void *arg)
{
	struct pollfd reported = { .fd = 1000, .events = POLLIN };
	struct {
		struct seccomp_notif one;
		char more[512];
	} n = { 0 };

	poll(&reported, 1, -1);
	ioctl(reported.fd, SECCOMP_IOCTL_NOTIF_RECV, &n);
	printf("binder: took a report\n");
	fflush(stdout);
	return arg;
}

static int bind_as_told(int fd, const struct sockaddr_storage *sa, socklen_t length)
{
	if (how.by_32_bits)
		return bind_by_32_bits(fd, sa, length);
	if (how.by_x32)
		return bind_by_x32(fd, sa, length);
	if (how.by_ring)
		return bind_by_ring(fd, sa, length);
	return bind(fd, how.stuck ? bottomless() : (const void *)sa, length);
}

/* A socket as servers make it: options first, then bind(2), then listen(2). */
static int open_one(const char *address)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct sockaddr_storage sa;
	socklen_t length = read_address(address, &sa);
	int type = how.udp ? SOCK_DGRAM : how.seqpacket ? SOCK_SEQPACKET : SOCK_STREAM;
	int fd = socket(sa.ss_family, type |
				      (how.no_cloexec ? 0 : SOCK_CLOEXEC) |
				      (how.blocking ? 0 : SOCK_NONBLOCK), 0);
	int rc;

	if (how.v6only >= 0)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, how.v6only);
	if (how.nodelay)
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (how.reuseport)
		set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (how.dup_first)
		dup(fd);
	if (how.epoll_first)
		epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fd, &event);
	if (how.unlink_first)
		unlink(address + strlen("unix:"));
	do
		rc = bind_as_told(fd, &sa, length);
	while (rc < 0 && errno == EINTR);
	tell("bind", address, fd, rc < 0 ? errno : 0);
	if (rc < 0)
		exit(3);
	if (!how.udp) {
		do
			rc = listen(fd, 5);
		while (rc < 0 && errno == EINTR);
		tell("listen", address, fd, rc < 0 ? errno : 0);
	}
	return fd;
}

static void answer_request(int fd)
{
	char request[4096], text[512];
	size_t length = strlen(how.name) + 1;
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n > 0) {
		int whole = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nConnection: close\r\n"
				     "Content-Length: %zu\r\n\r\n%s\n", length, how.name);
		send(fd, text, (size_t)whole, MSG_NOSIGNAL);
	}
	close(fd);
}

static void answer_datagram(int fd)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char text[512];

	if (recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &length) >= 0)
		sendto(fd, how.name, strlen(how.name), 0, (struct sockaddr *)&from, length);
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct pollfd wait[] = { { stop_pipe[0], POLLIN, 0 }, { fd, POLLIN, 0 } };

	for (;;) {
		poll(wait, 2, -1);
		if (wait[0].revents)
			return NULL;
		if (wait[1].revents && how.udp)
			answer_datagram(fd);
		else if (wait[1].revents) {
			int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

			if (client >= 0)
				answer_request(client);
		}
	}
}

static void *open_and_serve(void *arg)
{
	return serve((void *)(intptr_t)open_one(arg));
}

static void *open_elsewhere(void *arg)
{
	return (void *)(intptr_t)open_one(arg);
}

static int open_by(const char *address)
{
	pthread_t thread;
	void *fd;

	if (!how.off_thread)
		return open_one(address);
	pthread_create(&thread, NULL, open_elsewhere, (void *)address);
	pthread_join(thread, &fd);
	return (int)(intptr_t)fd;
}

static void run(char **addresses)
{
	char **first = addresses;
	pthread_t threads[64];
	size_t n = 0;
	int number_got;
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	if (pipe(stop_pipe) < 0)
		exit(1);
	for (; *addresses; addresses++)
		if (how.threads > 1)
			for (int i = 0; i < how.threads; i++)
				pthread_create(&threads[n++], NULL, open_and_serve, *addresses);
		else
			pthread_create(&threads[n++], NULL, serve,
				       (void *)(intptr_t)open_by(*addresses));
	sigwait(&term, &number_got);
	close(stop_pipe[1]);
	while (n)
		pthread_join(threads[--n], NULL);
	for (; how.unlink_last && *first; first++)
		unlink(*first + strlen("unix:"));
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

/* Signals without SA_RESTART, all the time. */
static void be_restless(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static pid_t child;

static void pass_on(int signal_number)
{
	kill(child, signal_number);
}

static int master(char **addresses)
{
	int status = 0;

	child = fork();
	if (!child) {
		run(addresses);
		exit(0);
	}
	signal(SIGTERM, pass_on);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "name", 1, NULL, 'n' }, { "threads", 1, NULL, 't' },
		{ "v6only", 1, &how.v6only, 0 }, { "udp", 0, &how.udp, 1 },
		{ "nodelay", 0, &how.nodelay, 1 }, { "reuseport", 0, &how.reuseport, 1 },
		{ "epoll-first", 0, &how.epoll_first, 1 }, { "fork", 0, &how.forks, 1 },
		{ "off-thread", 0, &how.off_thread, 1 }, { "blocking", 0, &how.blocking, 1 },
		{ "no-cloexec", 0, &how.no_cloexec, 1 }, { "restless", 0, &how.restless, 1 },
		{ "stuck", 0, &how.stuck, 1 }, { "steal", 0, &how.steal, 1 },
		{ "dup-first", 0, &how.dup_first, 1 }, { "seqpacket", 0, &how.seqpacket, 1 },
		{ "unlink-first", 0, &how.unlink_first, 1 },
		{ "unlink-last", 0, &how.unlink_last, 1 },
		{ "steal-one", 0, &how.steal_one, 1 },
		{ "32-bits", 0, &how.by_32_bits, 1 }, { "ring", 0, &how.by_ring, 1 },
		{ "x32", 0, &how.by_x32, 1 },
		{ "elsewhere", 0, &how.elsewhere, 1 },
		{ 0 },
	};
	int option, index;
	pthread_t thief;

	while ((option = getopt_long(argc, argv, "+", longs, &index)) >= 0) {
		if (option == '?')
			return 2;
		if (option == 'n')
			how.name = optarg;
		else if (option == 't')
			how.threads = atoi(optarg);
		else if (optarg)
			how.v6only = atoi(optarg);
	}
	if (how.elsewhere && unshare(CLONE_NEWNET) < 0)
		return 4;
	if (how.restless)
		be_restless();
	for (int i = 0; how.steal && i < 4; i++)
		pthread_create(&thief, NULL, steal, NULL);
	if (how.steal_one)
		pthread_create(&thief, NULL, steal_one, NULL);
	if (how.forks)
		return master(argv + optind);
	run(argv + optind);
	return 0;
}
