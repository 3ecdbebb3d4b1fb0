/* What a worker found when it woke up: its descriptors, rights, limits, signals
 * and the options of its sockets, as one line of JSON.
 *
 * To be called before the worker opens or changes anything of its own. */
#ifndef HOLDPORT_SUPPORT_WORKER_REPORT_H
#define HOLDPORT_SUPPORT_WORKER_REPORT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "address_text.h"
#include "json_out.h"

extern char **environ;

static inline void report_environment(FILE *out)
{
	static const char *const of_interest[] = { "HOLDPORT", "LISTEN_", "SERVER_STARTER_",
						   "NOTIFY_SOCKET", "WATCHDOG_", "EINHORN_", "NGINX" };
	const char *comma = "";

	fputs(",\"environment\":{", out);
	for (char **e = environ; *e; e++) {
		for (size_t i = 0; i < sizeof(of_interest) / sizeof(*of_interest); i++) {
			char *equals = strchr(*e, '=');

			if (!equals || strncmp(*e, of_interest[i], strlen(of_interest[i])) != 0)
				continue;
			fputs(comma, out);
			*equals = '\0';
			json_text(out, *e);
			*equals = '=';
			fputc(':', out);
			json_text(out, equals + 1);
			comma = ",";
			break;
		}
	}
	fputs("},\"environment_names\":[", out);
	for (char **e = environ; *e; e++) {
		char *equals = strchr(*e, '=');

		fputs(e == environ ? "" : ",", out);
		if (equals)
			*equals = '\0';
		json_text(out, *e);
		if (equals)
			*equals = '=';
	}
	fputc(']', out);
}

/* Every open descriptor but the one that looks, and what it is. */
static inline void report_descriptors(FILE *out)
{
	DIR *dir = opendir("/proc/self/fd");
	const char *comma = "";
	struct dirent *entry;

	fputs(",\"fds\":[", out);
	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);
		char link[512];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (*entry->d_name == '.' || n < 0 || fd == dirfd(dir))
			continue;
		link[n] = '\0';
		fprintf(out, "%s{\"fd\":%d,\"cloexec\":%s,\"kind\":", comma, fd,
			fcntl(fd, F_GETFD) & FD_CLOEXEC ? "true" : "false");
		json_text(out, link);
		fputc('}', out);
		comma = ",";
	}
	if (dir)
		closedir(dir);
	fputc(']', out);
}

static inline void report_rights(FILE *out)
{
	gid_t groups[256];
	int n = getgroups(256, groups);
	char cwd[4096];
	mode_t mask = umask(0);

	umask(mask);
	fprintf(out, ",\"pid\":%d,\"ppid\":%d,\"pgid\":%d,\"sid\":%d,\"uid\":%u,\"gid\":%u",
		getpid(), getppid(), getpgrp(), getsid(0), getuid(), getgid());
	fputs(",\"groups\":[", out);
	for (int i = 0; i < n; i++)
		fprintf(out, "%s%u", i ? "," : "", groups[i]);
	fprintf(out, "],\"umask\":\"%04o\",\"nice\":%d,\"no_new_privileges\":%s,\"cwd\":", mask,
		getpriority(PRIO_PROCESS, 0),
		prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "true" : "false");
	json_text(out, getcwd(cwd, sizeof(cwd)) ? cwd : "");
}

static inline void report_limit(FILE *out, rlim_t value)
{
	if (value == RLIM_INFINITY)
		fputs("null", out);
	else
		fprintf(out, "%llu", (unsigned long long)value);
}

/* "name": [soft, hard]; null is unlimited. */
static inline void report_limits(FILE *out)
{
	static const struct { const char *name; int resource; } limits[] = {
		{ "as", RLIMIT_AS }, { "core", RLIMIT_CORE }, { "cpu", RLIMIT_CPU },
		{ "data", RLIMIT_DATA }, { "fsize", RLIMIT_FSIZE }, { "locks", RLIMIT_LOCKS },
		{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE },
		{ "nice", RLIMIT_NICE }, { "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },
		{ "rss", RLIMIT_RSS }, { "rtprio", RLIMIT_RTPRIO }, { "rttime", RLIMIT_RTTIME },
		{ "sigpending", RLIMIT_SIGPENDING }, { "stack", RLIMIT_STACK },
	};

	fputs(",\"limits\":{", out);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit value;

		getrlimit(limits[i].resource, &value);
		fprintf(out, "%s\"%s\":[", i ? "," : "", limits[i].name);
		report_limit(out, value.rlim_cur);
		fputc(',', out);
		report_limit(out, value.rlim_max);
		fputc(']', out);
	}
	fputc('}', out);
}

static inline void report_signals(FILE *out)
{
	sigset_t blocked;
	const char *comma = "";

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	fputs(",\"signals\":{\"blocked\":[", out);
	for (int s = 1; s < NSIG; s++) {
		if (sigismember(&blocked, s) != 1)
			continue;
		fprintf(out, "%s%d", comma, s);
		comma = ",";
	}
	fputs("],\"ignored\":[", out);
	comma = "";
	for (int s = 1; s < NSIG; s++) {
		struct sigaction action;

		if (sigaction(s, NULL, &action) < 0 || action.sa_handler != SIG_IGN)
			continue;
		fprintf(out, "%s%d", comma, s);
		comma = ",";
	}
	fputs("]}", out);
}

#define SOCKET_NUMBERS(X)                                                                    \
	X(SOL_SOCKET, SO_REUSEADDR) X(SOL_SOCKET, SO_REUSEPORT) X(SOL_SOCKET, SO_KEEPALIVE)  \
	X(SOL_SOCKET, SO_RCVBUF) X(SOL_SOCKET, SO_SNDBUF) X(SOL_SOCKET, SO_MARK)             \
	X(SOL_SOCKET, SO_PRIORITY) X(SOL_SOCKET, SO_PROTOCOL) X(SOL_SOCKET, SO_TYPE)         \
	X(SOL_SOCKET, SO_DOMAIN) X(SOL_SOCKET, SO_ACCEPTCONN)                                \
	X(IPPROTO_IPV6, IPV6_V6ONLY) X(IPPROTO_IPV6, IPV6_TCLASS) X(IPPROTO_IP, IP_TOS)      \
	X(IPPROTO_IP, IP_FREEBIND) X(IPPROTO_IP, IP_TRANSPARENT)                             \
	X(IPPROTO_TCP, TCP_NODELAY) X(IPPROTO_TCP, TCP_DEFER_ACCEPT)                         \
	X(IPPROTO_TCP, TCP_FASTOPEN) X(IPPROTO_TCP, TCP_KEEPIDLE)                            \
	X(IPPROTO_TCP, TCP_KEEPINTVL) X(IPPROTO_TCP, TCP_KEEPCNT)                            \
	X(IPPROTO_TCP, TCP_USER_TIMEOUT)

static inline void report_socket_number(FILE *out, int fd, int level, int option, const char *name)
{
	int value = 0;
	socklen_t size = sizeof(value);

	fprintf(out, ",\"%s\":", name);
	if (getsockopt(fd, level, option, &value, &size) < 0)
		fputs("null", out);
	else
		fprintf(out, "%d", value);
}

static inline void report_socket_text(FILE *out, int fd, int level, int option, const char *name)
{
	char value[128] = "";
	socklen_t size = sizeof(value) - 1;

	fprintf(out, ",\"%s\":", name);
	if (getsockopt(fd, level, option, value, &size) < 0)
		fputs("null", out);
	else
		json_text(out, value);
}

static inline void report_socket(FILE *out, int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t at_size = sizeof(at);
	struct tcp_info info = { 0 };
	socklen_t info_size = sizeof(info);
	char text[256] = "";
	struct stat st = { 0 };

	fstat(fd, &st);
	if (getsockname(fd, (struct sockaddr *)&at, &at_size) == 0)
		address_print(&at, at_size, text, sizeof(text));
	fprintf(out, "{\"fd\":%d,\"inode\":%lu,\"non_blocking\":%s,\"address\":", fd,
		(unsigned long)st.st_ino, fcntl(fd, F_GETFL) & O_NONBLOCK ? "true" : "false");
	json_text(out, text);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_size) == 0)
		fprintf(out, ",\"backlog\":%u,\"queue\":%u", info.tcpi_sacked, info.tcpi_unacked);
	else
		fputs(",\"backlog\":null,\"queue\":null", out);
#define X(level, option) report_socket_number(out, fd, level, option, #option);
	SOCKET_NUMBERS(X)
#undef X
	report_socket_text(out, fd, IPPROTO_TCP, TCP_CONGESTION, "TCP_CONGESTION");
	report_socket_text(out, fd, SOL_SOCKET, SO_BINDTODEVICE, "SO_BINDTODEVICE");
	fputc('}', out);
}

/* One write(2) to a file opened for appending: workers do not mix their lines. */
static inline void report_append(const char *file, char *line, size_t size)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, line, size) != (ssize_t)size)
		fprintf(stderr, "worker: %s: %s\n", file, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static inline void worker_report(const char *file, const int *sockets, size_t count, char **argv)
{
	char *line;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	fputs("{\"event\":\"start\",\"argv\":[", out);
	for (char **a = argv; *a; a++) {
		fputs(a == argv ? "" : ",", out);
		json_text(out, *a);
	}
	fputc(']', out);
	report_rights(out);
	report_environment(out);
	report_descriptors(out);
	report_limits(out);
	report_signals(out);
	fputs(",\"sockets\":[", out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? "," : "", out);
		report_socket(out, sockets[i]);
	}
	fputs("]}\n", out);
	fclose(out);
	report_append(file, line, size);
	free(line);
}

/* When it was ready: µs of the monotonic clock, just before it says so. */
static inline void worker_report_ready(const char *file)
{
	struct timespec t;
	char line[128];
	int n;

	clock_gettime(CLOCK_MONOTONIC, &t);
	n = snprintf(line, sizeof(line), "{\"event\":\"ready\",\"pid\":%d,\"at_us\":%lld}\n",
		     getpid(), t.tv_sec * 1000000LL + t.tv_nsec / 1000);
	report_append(file, line, (size_t)n);
}

static inline void worker_report_signal(const char *file, int signal)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"event\":\"signal\",\"pid\":%d,\"signal\":\"%s\"}\n",
			 getpid(), sigabbrev_np(signal));

	report_append(file, line, (size_t)n);
}

#endif
