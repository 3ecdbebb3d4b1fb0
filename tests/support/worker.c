/* worker: a small HTTP server that plays every good and every bad worker.
 *
 * Without options it is a good one: it takes its sockets from LISTEN_FDS or
 * SERVER_STARTER_PORT, serves HTTP/1.1 with keep-alive, and leaves on TERM, QUIT
 * or INT as a good server does: it stops accepting, whoever was accepted and not
 * yet served gets an answer (his first request is waited for, 2 s at most),
 * requests under way finish, idle kept-alive connections are closed, exit 0.
 * Every vice has an option; options combine.
 *
 * GET /eat?N takes N MiB of memory, for good.  /health answers the status in the --health-file, /pid its pid, /env?NAME that variable, /slow?MS after so long,
 * anything else the --answer.  The header X-Pid is always there.  A datagram is
 * answered by one: the --answer, a blank, and what it said; "pid" by the pid. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "address_text.h"
#include "option_rows.h"
#include "worker_health.h"
#include "worker_report.h"
#include "worker_spoil.h"

#define PATIENCE_FOR_FIRST 2000		/* ms, for a first request while stopping */
#define MOST_SOCKETS 64

static struct {
	const char *spoil;
	const char *answer, *bind, *from, *health_file, *print, *status, *tell, *report;
	double fd, start_delay, service_delay, stop_delay, ready_fd, exit_after, exit_code;
	double die_at_start, die_after_requests;
	bool stdin_socket, no_socket, notify, never_ready, crash, ignore_term, ignore_eof, deaf;
	bool fork_child, as_given;
} options = { .answer = "worker", .from = "any", .fd = -1, .ready_fd = -1, .exit_after = -1,
	      .die_at_start = -1 };

static const struct option_row option_rows[] = {
	{ "answer", OPTION_TEXT, &options.answer, "the body, a newline is added (worker)" },
	{ "from", OPTION_TEXT, &options.from, "any | listen-fds | server-starter" },
	{ "fd", OPTION_NUMBER, &options.fd, "serve this descriptor" },
	{ "stdin", OPTION_FLAG, &options.stdin_socket, "serve descriptor 0" },
	{ "bind", OPTION_TEXT, &options.bind, "bind HOST:PORT or unix:/path itself" },
	{ "as-given", OPTION_FLAG, &options.as_given, "leave O_NONBLOCK of its sockets alone" },
	{ "no-socket", OPTION_FLAG, &options.no_socket, "live without any" },
	{ "start-delay", OPTION_NUMBER, &options.start_delay, "ms before it is ready and serves" },
	{ "service-delay", OPTION_NUMBER, &options.service_delay, "ms before each answer" },
	{ "stop-delay", OPTION_NUMBER, &options.stop_delay, "ms that stopping lasts at least" },
	{ "health-file", OPTION_TEXT, &options.health_file, "the status of GET /health; not there: 200" },
	{ "notify", OPTION_FLAG, &options.notify, "send READY=1 to NOTIFY_SOCKET" },
	{ "status", OPTION_TEXT, &options.status, "send STATUS=TEXT with it (\\n, \\e as in C)" },
	{ "tell", OPTION_TEXT, &options.tell, "send this message after it (\\n, \\e as in C)" },
	{ "ready-fd", OPTION_NUMBER, &options.ready_fd, "write a newline there when ready" },
	{ "never-ready", OPTION_FLAG, &options.never_ready, "serve, but never say so" },
	{ "deaf", OPTION_FLAG, &options.deaf, "never accept a connection" },
	{ "exit-after-ms", OPTION_NUMBER, &options.exit_after, "end so long after being ready" },
	{ "exit-code", OPTION_NUMBER, &options.exit_code, "the code of every end but --die-at-start" },
	{ "die-at-start", OPTION_NUMBER, &options.die_at_start, "end with this code, never ready" },
	{ "die-after-requests", OPTION_NUMBER, &options.die_after_requests, "end when so many were answered" },
	{ "crash", OPTION_FLAG, &options.crash, "end by SIGSEGV; alone: at the start" },
	{ "ignore-term", OPTION_FLAG, &options.ignore_term, "do not stop when asked" },
	{ "ignore-eof", OPTION_FLAG, &options.ignore_eof, "keep connections whose client has closed" },
	{ "print", OPTION_TEXT, &options.print, "a line on stderr before anything else" },
	{ "spoil", OPTION_TEXT, &options.spoil, "a list of what it does to its sockets before it is ready" },
	{ "fork-child", OPTION_FLAG, &options.fork_child, "leave a child in the group, with all descriptors" },
	{ "report", OPTION_TEXT, &options.report, "append what it found, and its signals, as JSON lines" },
	{ 0 }
};

struct connection {
	TAILQ_ENTRY(connection) node;
	int fd;
	bool in_hand;		/* a request was read and not yet answered */
	bool closing;		/* closed once `out` is sent */
	bool ended;		/* the client will send no more */
	unsigned served;
	int64_t due;		/* in_hand: answer then; stopping: give up then; 0: none */
	char in[8192], path[1024];
	size_t in_size;
	char *out;
	size_t out_size, out_sent;
};
TAILQ_HEAD(connections, connection);

static struct {
	int sockets[MOST_SOCKETS];
	size_t socket_count;
	int epoll, signals;
	struct connections connections;
	unsigned waiting;	/* connections with a due time */
	unsigned long served;
	bool stopping;
	int64_t exit_at;	/* by itself; 0: never */
	int64_t stop_until;
} state = { .epoll = -1, .signals = -1 };

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static _Noreturn void end(void)
{
	if (options.crash) {
		signal(SIGSEGV, SIG_DFL);	/* the sanitizer's own handler would report it */
		raise(SIGSEGV);
	}
	_exit((int)options.exit_code);
}

static _Noreturn void fatal(const char *what)
{
	fprintf(stderr, "worker: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* Sockets */

static void take(int fd)
{
	if (state.socket_count < MOST_SOCKETS)
		state.sockets[state.socket_count++] = fd;
}

static void take_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (!pid || !count || atol(pid) != getpid())
		return;
	for (int i = 0; i < atoi(count); i++)
		take(3 + i);
}

static void take_server_starter(void)
{
	const char *item = getenv("SERVER_STARTER_PORT");

	while (item && *item) {
		const char *equals = strchr(item, '=');

		if (equals)
			take(atoi(equals + 1));
		item += strcspn(item, ";");
		item += *item == ';';
	}
}

static int bind_own(const char *text)
{
	struct sockaddr_storage at;
	socklen_t length;
	int fd, one = 1;

	if (!address_read(text, &at, &length)) {
		errno = EINVAL;
		fatal(text);
	}
	fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, length) < 0 || listen(fd, 4096) < 0)
		fatal(text);
	return fd;
}

static void take_sockets(void)
{
	bool any = !strcmp(options.from, "any");

	if (options.stdin_socket)
		take(STDIN_FILENO);
	if (options.fd >= 0)
		take((int)options.fd);
	if (!state.socket_count && (any || !strcmp(options.from, "listen-fds")))
		take_listen_fds();
	if (!state.socket_count && (any || !strcmp(options.from, "server-starter")))
		take_server_starter();
	if (options.bind)
		take(bind_own(options.bind));
	if (!state.socket_count && !options.no_socket) {
		fprintf(stderr, "worker: nobody gave me a socket\n");
		exit(3);
	}
}

/* Connections */

static void watch(int how, int fd, uint32_t events, void *who)
{
	struct epoll_event e = { .events = events, .data.ptr = who };

	if (epoll_ctl(state.epoll, how, fd, &e) < 0)
		fatal("epoll_ctl");
}

static void set_due(struct connection *c, int64_t due)
{
	state.waiting += (due != 0) - (c->due != 0);
	c->due = due;
}

static void connection_free(struct connection *c)
{
	set_due(c, 0);
	TAILQ_REMOVE(&state.connections, c, node);
	close(c->fd);
	free(c->out);
	free(c);
}

static void connection_ask(struct connection *c);

/* False: the connection is gone. */
static bool connection_flush(struct connection *c)
{
	ssize_t n = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		connection_free(c);
		return false;
	}
	c->out_sent += n > 0 ? (size_t)n : 0;
	if (c->out_sent < c->out_size) {
		watch(EPOLL_CTL_MOD, c->fd, EPOLLOUT, c);
		return true;
	}
	if (options.die_after_requests && state.served >= options.die_after_requests)
		end();
	if (c->closing || c->ended) {
		connection_free(c);
		return false;
	}
	watch(EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
	return true;
}

static const char *body_for(const char *path, char *own, size_t size)
{
	const char *value;

	if (!strcmp(path, "/pid")) {
		snprintf(own, size, "%d", getpid());
		return own;
	}
	if (!strncmp(path, "/eat?", 5))
		worker_eat(atoi(path + 5));
	if (!strncmp(path, "/env?", 5)) {
		value = getenv(path + 5);
		return value ? value : "";
	}
	return options.answer;
}

static void connection_answer(struct connection *c)
{
	char own[32];
	const char *body = body_for(c->path, own, sizeof(own));
	int status = worker_status_for(c->path, options.health_file);
	FILE *out;

	free(c->out);
	out = open_memstream(&c->out, &c->out_size);
	c->closing |= state.stopping;
	fprintf(out, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
		"X-Pid: %d\r\n%s\r\n%s\n", status, status == 200 ? "OK" : "Not well",
		strlen(body) + 1, getpid(),
		c->closing ? "Connection: close\r\n" : "", body);
	fclose(out);
	c->out_sent = 0;
	c->in_hand = false;
	set_due(c, 0);
	c->served++;
	state.served++;
	if (connection_flush(c) && c->out_sent == c->out_size)
		connection_ask(c);	/* the next one may be there already */
}

/* Takes a whole request out of `in`, if there is one. */
static void connection_ask(struct connection *c)
{
	char *end = memmem(c->in, c->in_size, "\r\n\r\n", 4);
	double delay = options.service_delay;
	size_t size;

	if (c->in_hand || !end)
		return;
	*end = '\0';
	size = (size_t)(end - c->in) + 4;
	if (sscanf(c->in, "%*s %1023s", c->path) != 1)
		strcpy(c->path, "/");
	c->closing = strcasestr(c->in, "\r\nConnection: close") || strstr(c->in, " HTTP/1.0");
	memmove(c->in, c->in + size, c->in_size - size);
	c->in_size -= size;
	c->in_hand = true;
	if (!strncmp(c->path, "/slow?", 6))
		delay = atoi(c->path + 6);
	if (delay > 0)
		set_due(c, now() + (int64_t)delay);
	else
		connection_answer(c);
}

static void connection_read(struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_size, sizeof(c->in) - 1 - c->in_size, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		c->in_size += (size_t)n;
		connection_ask(c);
		return;
	}
	c->ended = true;
	if (n == 0 && (c->in_hand || options.ignore_eof))
		watch(EPOLL_CTL_MOD, c->fd, 0, c);	/* or it would be told for ever */
	else
		connection_free(c);
}

static void connection_on(struct connection *c, uint32_t events)
{
	if (events & EPOLLOUT) {
		if (connection_flush(c) && c->out_sent == c->out_size)
			connection_ask(c);
	} else if (events & EPOLLIN) {
		connection_read(c);
	} else {
		connection_free(c);		/* EPOLLHUP, EPOLLERR: reset */
	}
}

static void accept_some(int fd)
{
	/* What may block has a client for one call. */
	for (int i = 0; i < (options.as_given ? 1 : 16); i++) {
		struct connection *c;
		int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (got < 0)
			return;
		c = calloc(1, sizeof(*c));
		if (!c)
			abort();
		c->fd = got;
		TAILQ_INSERT_TAIL(&state.connections, c, node);
		watch(EPOLL_CTL_ADD, got, EPOLLIN, c);
	}
}

/* Starting and stopping */

/* "\\n" and "\\e": a configuration holds no control characters. */
static size_t unescape(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n < size; from++) {
		bool escape = *from == '\\' && (from[1] == 'n' || from[1] == 'e');

		from += escape;
		to[n++] = !escape ? *from : *from == 'n' ? '\n' : '\033';
	}
	return n;
}

static void notify(const char *message)
{
	char bytes[1024];
	size_t size = unescape(message, bytes, sizeof(bytes));
	struct sockaddr_storage to;
	socklen_t length;
	char text[256];
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(text, sizeof(text), "unix:%s", path ? path : "");
	if (!path || !address_read(text, &to, &length) ||
	    sendto(fd, bytes, size, MSG_NOSIGNAL, (struct sockaddr *)&to, length) < 0)
		fprintf(stderr, "worker: cannot notify \"%s\"\n", path ? path : "");
	close(fd);
}

static void say_ready(void)
{
	char message[512];

	if (options.report)
		worker_report_ready(options.report);
	for (size_t i = 0; i < state.socket_count; i++)
		worker_spoil(options.spoil, state.sockets[i]);
	if (options.never_ready)
		return;
	if (options.ready_fd >= 0) {
		if (write((int)options.ready_fd, "\n", 1) != 1)
			perror("worker: ready-fd");
		close((int)options.ready_fd);
	}
	snprintf(message, sizeof(message), "READY=1%s%s", options.status ? "\nSTATUS=" : "",
		 options.status ? options.status : "");
	if (options.notify)
		notify(message);
	if (options.tell)
		notify(options.tell);
}

static void stop(void)
{
	struct connection *c, *next;

	if (state.stopping || options.ignore_term)
		return;
	state.stopping = true;
	state.stop_until = now() + (int64_t)options.stop_delay;
	/* Closing alone leaves them in the epoll set: the supervisor holds them too. */
	for (size_t i = 0; i < state.socket_count; i++) {
		epoll_ctl(state.epoll, EPOLL_CTL_DEL, state.sockets[i], NULL);
		close(state.sockets[i]);
	}
	for (c = TAILQ_FIRST(&state.connections); c; c = next) {
		next = TAILQ_NEXT(c, node);
		if (!c->in_hand && c->out_sent == c->out_size)
			set_due(c, now() + (c->served ? 0 : PATIENCE_FOR_FIRST));
	}
}

static void on_signal(void)
{
	struct signalfd_siginfo info;

	if (read(state.signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (options.report)
		worker_report_signal(options.report, (int)info.ssi_signo);
	if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGQUIT || info.ssi_signo == SIGINT)
		stop();
}

static void open_signals(void)
{
	static const int heard[] = { SIGTERM, SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(heard) / sizeof(*heard); i++)
		sigaddset(&set, heard[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	state.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void sleep_before_start(void)
{
	int64_t until = now() + (int64_t)options.start_delay;

	while (now() < until && !state.stopping) {
		struct pollfd p = { .fd = state.signals, .events = POLLIN };

		if (poll(&p, 1, (int)(until - now())) > 0)
			on_signal();
	}
	if (state.stopping)
		end();
}

static void leave_child(void)
{
	sigset_t none;

	if (fork() != 0)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(120);			/* whatever a story forgets */
	for (;;)
		pause();
}

/* What has come due; returns ms until the next, -1: none. */
static int look_at_clock(void)
{
	int64_t t = now(), next = INT64_MAX;
	struct connection *c, *after;
	char byte;

	if (state.exit_at && state.exit_at <= t)
		end();
	if (state.exit_at)
		next = state.exit_at;
	for (c = state.waiting ? TAILQ_FIRST(&state.connections) : NULL; c; c = after) {
		after = TAILQ_NEXT(c, node);
		if (c->due && c->due > t)
			next = c->due < next ? c->due : next;
		else if (c->due && c->in_hand)
			connection_answer(c);
		else if (c->due && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			set_due(c, t + 100);	/* it has just been asked: serve() will see */
		else if (c->due)
			connection_free(c);
	}
	if (state.stopping && TAILQ_EMPTY(&state.connections)) {
		if (state.stop_until <= t)
			end();
		next = state.stop_until < next ? state.stop_until : next;
	}
	return next == INT64_MAX ? -1 : next > t ? (int)(next - t) : 0;
}

static bool is_datagram(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

static void answer_datagrams(int fd)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char in[2048], out[4096];
	ssize_t n;

	while ((n = recvfrom(fd, in, sizeof(in) - 1, 0, (struct sockaddr *)&from, &length)) >= 0) {
		in[n] = '\0';
		if (!strcmp(in, "pid"))
			n = snprintf(out, sizeof(out), "%d", getpid());
		else
			n = snprintf(out, sizeof(out), "%s %s", options.answer, in);
		(void)sendto(fd, out, (size_t)n, 0, (struct sockaddr *)&from, length);
		length = sizeof(from);
	}
}

static void serve(void)
{
	static int listener[MOST_SOCKETS];	/* its addresses mark the listeners */
	struct epoll_event events[128];

	for (size_t i = 0; i < state.socket_count && !options.deaf; i++) {
		listener[i] = state.sockets[i];
		if (!options.as_given)
			fcntl(listener[i], F_SETFL, fcntl(listener[i], F_GETFL) | O_NONBLOCK);
		watch(EPOLL_CTL_ADD, listener[i], EPOLLIN, &listener[i]);
	}
	for (;;) {
		int n = epoll_wait(state.epoll, events, 128, look_at_clock());

		for (int i = 0; i < n; i++) {
			void *who = events[i].data.ptr;

			if (who == &state)
				on_signal();
			else if ((int *)who < listener || (int *)who >= listener + MOST_SOCKETS)
				connection_on(who, events[i].events);
			else if (!state.stopping && is_datagram(*(int *)who))
				answer_datagrams(*(int *)who);
			else if (!state.stopping)
				accept_some(*(int *)who);
		}
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	option_read(option_rows, argv);
	if (options.print)
		fprintf(stderr, "%s\n", options.print);
	take_sockets();
	if (options.report)
		worker_report(options.report, state.sockets, state.socket_count, argv);
	open_signals();
	if (options.fork_child)
		leave_child();
	sleep_before_start();
	if (options.die_at_start >= 0)
		_exit((int)options.die_at_start);
	if (options.crash && options.exit_after < 0 && !options.die_after_requests)
		end();
	TAILQ_INIT(&state.connections);
	state.epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(EPOLL_CTL_ADD, state.signals, EPOLLIN, &state);
	if (options.exit_after >= 0)
		state.exit_at = now() + (int64_t)options.exit_after;
	say_ready();
	serve();
}
