/* sd_server: a server of sd-daemon(3)'s making: it takes its sockets, and says what
 * it says, by libsystemd alone.
 *
 * To every stream connection it answers, over HTTP, one line of JSON: what it found
 * when it started.  It leaves a memfd "state" with its supervisor, which holds the
 * pid of the first of all its generations; HUP reloads, TERM stops. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "json_out.h"

enum { MOST = 16 };

static struct {
	char **names;
	int count, barrier;
	uint64_t watchdog;		/* µs; 0: none */
	char state[32];			/* of the memfd that was given back; empty: none */
	struct pollfd watched[MOST + 1];
} server;

static _Noreturn void fatal(const char *what, int error)
{
	fprintf(stderr, "sd_server: %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(3);
}

static int must(const char *what, int r)
{
	if (r <= 0)
		fatal(what, r);
	return r;
}

static const char *kind_of(int fd)
{
	if (sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, 0) > 0)
		return "inet stream";
	if (sd_is_socket_inet(fd, AF_UNSPEC, SOCK_DGRAM, -1, 0) > 0)
		return "inet datagram";
	if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0)
		return "unix stream";
	return "other";
}

static void take(void)
{
	server.count = sd_listen_fds_with_names(1, &server.names);
	if (server.count < 0 || server.count > MOST)
		fatal("sd_listen_fds_with_names", server.count);
	for (int i = 0; i < server.count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		server.watched[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (strcmp(server.names[i], "state") != 0)
			continue;
		server.watched[i].fd = -1;
		if (pread(fd, server.state, sizeof(server.state) - 1, 0) < 0)
			fatal("state", errno);
	}
}

static void leave_state(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%d", getpid()) < 0)
		fatal("memfd", errno);
	must("sd_pid_notify_with_fds", sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=state", &fd, 1));
	close(fd);
}

static void answer(int fd)
{
	char *body = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&body, &size);

	fprintf(out, "{\"pid\":%d,\"barrier\":%d,\"watchdog\":%llu,\"environment\":%s,\"state\":",
		getpid(), server.barrier, (unsigned long long)server.watchdog,
		getenv("LISTEN_FDS") ? "true" : "false");
	json_text(out, server.state);
	fputs(",\"sockets\":[", out);
	for (int i = 0; i < server.count; i++) {
		fputs(i ? ",[" : "[", out);
		json_text(out, server.names[i]);
		fprintf(out, ",\"%s\",%s]", kind_of(SD_LISTEN_FDS_START + i),
			fcntl(SD_LISTEN_FDS_START + i, F_GETFD) & FD_CLOEXEC ? "true" : "false");
	}
	fputs("]}\n", out);
	fclose(out);
	dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", size, body);
	free(body);
}

static void accept_one(int fd)
{
	char request[4096];
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (client >= 0 && read(client, request, sizeof(request)) > 0)
		answer(client);
	close(client);
}

static void reload(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   t.tv_sec * 1000000ULL + (unsigned long long)t.tv_nsec / 1000);
	sd_notify(0, "READY=1\nSTATUS=reloaded");
}

static void on_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		reload();
	} else {
		sd_notify(0, "STOPPING=1");
		exit(0);
	}
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(void)
{
	take();
	server.watched[server.count] = (struct pollfd){ .fd = signals(), .events = POLLIN };
	if (sd_watchdog_enabled(0, &server.watchdog) < 0)
		fatal("sd_watchdog_enabled", EINVAL);
	if (!*server.state)
		leave_state();
	must("sd_notify", sd_notify(0, "READY=1\nSTATUS=serving"));
	server.barrier = must("sd_notify_barrier", sd_notify_barrier(0, 10 * 1000000));
	for (;;) {
		int ms = server.watchdog ? (int)(server.watchdog / 2000) : -1;

		poll(server.watched, (nfds_t)server.count + 1, ms);
		if (server.watchdog)
			sd_notify(0, "WATCHDOG=1");
		for (int i = 0; i < server.count; i++)
			if (server.watched[i].revents & POLLIN)
				accept_one(server.watched[i].fd);
		if (server.watched[server.count].revents & POLLIN)
			on_signal(server.watched[server.count].fd);
	}
}
