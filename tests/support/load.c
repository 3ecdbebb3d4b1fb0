/* load: a steady load on one address, and an honest count of what became of it.
 *
 *	load --address HOST:PORT|unix:/path|unix:@name [--rate 500] [--keep-alive 50]
 *	     [--seconds S] [--until-stdin-closes] [--path /] [--report FILE]
 *
 * The load is open: RATE new connections a second are due by the clock, however
 * slow the answers are, and an answer's time runs from the moment its request
 * was due.  Each asks once, with Connection: close.  Beside them N keep-alive
 * connections ask again and again.
 *
 * What counts as failed:
 *	refused    connect(2) was refused (unix: also no such file, queue full)
 *	reset      a fresh connection was reset or closed before the first byte
 *	timed_out  no whole answer within 5 s
 *	cut        the connection ended after the first byte, before the last
 *	bad        an answer of status 500 or more, or not HTTP
 *	other      anything else; the system's word for it goes to stderr
 * and what does not:
 *	race       a kept-alive connection was closed or reset after it was asked
 *	           again, before the first byte: HTTP allows that, and every client
 *	           asks again on a fresh connection.  So does this one, once.
 *
 * The server closes first (Connection: close, and we wait for its end), so no
 * TIME_WAIT keeps our own ports busy however long the load lasts.
 *
 * `waiting` is how many requests are under way at the moment: 0 at the end.
 *
 * Prints "loading" when the first request was answered; on SIGUSR1 a line of
 * counters so far; at the end one line of JSON, after at most 5 s in which
 * requests under way may finish.  Exit code 0 whatever was counted: judging is
 * the story's business. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "address_text.h"
#include "answer.h"
#include "json_out.h"
#include "option_rows.h"

#define SECOND 1000000LL		/* all times are µs of the monotonic clock */
#define PATIENCE (5 * SECOND)		/* for an answer, and for the rest at the end */
#define PATIENCE_FOR_END (1 * SECOND)	/* for the server to close what it answered */

#define FAULTS(X) X(refused) X(reset) X(timed_out) X(cut) X(bad) X(other)
enum fault {
#define X(name) FAULT_##name,
	FAULTS(X)
#undef X
	FAULT_COUNT
};
static const char *const fault_words[] = {
#define X(name) #name,
	FAULTS(X)
#undef X
};

enum step { CONNECTING, ASKING, READING, CLOSING, PAUSING };

/* One connection, or for `keep` one after the other. */
struct client {
	TAILQ_ENTRY(client) node;	/* in queue_of(step) */
	enum step step;
	int fd;				/* -1: none at the moment */
	bool keep;			/* asks again and again */
	bool reused;			/* this connection has answered before */
	int64_t due;			/* when the request should have gone out */
	int64_t until;			/* when this step has lasted too long */
	size_t sent;			/* bytes of the request */
	struct answer answer;
};
TAILQ_HEAD(queue, client);

static struct {
	const char *address, *path, *report;
	double rate, keep_alive, interval, seconds;
	bool until_stdin_closes;
} options = { .path = "/", .rate = 500, .keep_alive = 50, .interval = 20 };

static const struct option_row option_rows[] = {
	{ "address", OPTION_TEXT, &options.address, "HOST:PORT, [V6]:PORT, unix:/path, unix:@name" },
	{ "rate", OPTION_NUMBER, &options.rate, "new connections a second (500)" },
	{ "keep-alive", OPTION_NUMBER, &options.keep_alive, "kept-alive connections (50)" },
	{ "interval", OPTION_NUMBER, &options.interval, "ms between requests on each of them (20)" },
	{ "seconds", OPTION_NUMBER, &options.seconds, "stop after so long" },
	{ "until-stdin-closes", OPTION_FLAG, &options.until_stdin_closes, "stop then" },
	{ "path", OPTION_TEXT, &options.path, "what to ask for (/)" },
	{ "report", OPTION_TEXT, &options.report, "a file for the last line too" },
	{ 0 }
};

static struct {
	struct sockaddr_storage to;
	socklen_t to_length;
	char ask_and_close[512], ask[512];
	int epoll;
	struct queue waiting, closing, pausing;
	int64_t began, ended;		/* ended 0: still loading */
	bool answered;
} state;

static struct {
	unsigned long ok, fault[FAULT_COUNT], race, new_connections, keep_alive_requests, due;
	struct { char word[32]; unsigned long n; } answers[17];	/* the last: all others */
	uint32_t *times;		/* µs of each ok */
	size_t times_room;
} counts;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec / 1000;
}

/* Counting */

static void count_word(const struct answer *a)
{
	char word[sizeof(counts.answers[0].word)];
	size_t i = 0;

	answer_word(a, word, sizeof(word));
	while (i < 16 && counts.answers[i].n && strcmp(counts.answers[i].word, word) != 0)
		i++;
	snprintf(counts.answers[i].word, sizeof(word), "%s", i < 16 ? word : "(others)");
	counts.answers[i].n++;
}

static void count_answer(const struct client *c)
{
	if (counts.ok == counts.times_room) {
		counts.times_room = counts.times_room ? counts.times_room * 2 : 1 << 16;
		counts.times = realloc(counts.times, counts.times_room * sizeof(*counts.times));
		if (!counts.times)
			abort();
	}
	counts.times[counts.ok++] = (uint32_t)(now() - c->due);
	count_word(&c->answer);
	if (!state.answered) {
		state.answered = true;
		puts("loading");
		fflush(stdout);
	}
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double percentile(double part)
{
	return counts.ok ? counts.times[(size_t)((double)(counts.ok - 1) * part)] / 1000.0 : 0;
}

static void report(FILE *out)
{
	unsigned long failed = 0, waiting = 0;
	struct client *c;

	TAILQ_FOREACH(c, &state.waiting, node)
		waiting++;
	if (counts.ok)
		qsort(counts.times, counts.ok, sizeof(*counts.times), by_size);
	for (int i = 0; i < FAULT_COUNT; i++)
		failed += counts.fault[i];
	fprintf(out, "{\"ok\":%lu,\"failed\":%lu", counts.ok, failed);
	for (int i = 0; i < FAULT_COUNT; i++)
		fprintf(out, ",\"%s\":%lu", fault_words[i], counts.fault[i]);
	fprintf(out, ",\"waiting\":%lu,\"race\":%lu,\"new_connections\":%lu", waiting,
		counts.race, counts.new_connections);
	fprintf(out, ",\"keep_alive_requests\":%lu", counts.keep_alive_requests);
	fprintf(out, ",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", percentile(0.5),
		percentile(0.99), percentile(1));
	fprintf(out, ",\"seconds\":%.3f,\"by_answer\":{",
		(double)((state.ended ? state.ended : now()) - state.began) / SECOND);
	for (size_t i = 0; i < 17 && counts.answers[i].n; i++) {
		fputs(i ? "," : "", out);
		json_text(out, counts.answers[i].word);
		fprintf(out, ":%lu", counts.answers[i].n);
	}
	fputs("}}\n", out);
	fflush(out);
}

/* One client's way: connect, ask, read, then close or pause */

static struct queue *queue_of(enum step step)
{
	return step == CLOSING ? &state.closing : step == PAUSING ? &state.pausing : &state.waiting;
}

static void move_to(struct client *c, enum step step, int64_t until)
{
	TAILQ_REMOVE(queue_of(c->step), c, node);
	c->step = step;
	c->until = until;
	TAILQ_INSERT_TAIL(queue_of(step), c, node);
}

static void disconnect(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->reused = false;
}

static void client_free(struct client *c)
{
	TAILQ_REMOVE(queue_of(c->step), c, node);
	disconnect(c);
	answer_clear(&c->answer);
	free(c);
}

/* The request is over, well or badly, and so is the connection if not kept. */
static void client_done(struct client *c)
{
	int64_t next = c->due + (int64_t)(options.interval * 1000);

	answer_clear(&c->answer);
	if (!c->keep || state.ended) {
		client_free(c);
		return;
	}
	c->due = next > now() ? next : now();
	move_to(c, PAUSING, c->due);
}

static void client_connect(struct client *c);

static void client_failed(struct client *c, enum fault why, int error)
{
	bool began = c->answer.length;

	if (c->reused && !began && why == FAULT_reset) {
		counts.race++;
		disconnect(c);
		client_connect(c);
		return;
	}
	if (why == FAULT_reset && began)
		why = FAULT_cut;
	if (why == FAULT_other)
		fprintf(stderr, "load: %s\n", strerror(error));
	counts.fault[why]++;
	disconnect(c);
	client_done(c);
}

static enum fault fault_of(int error)
{
	bool local = state.to.ss_family == AF_UNIX;

	if (error == ECONNREFUSED || (local && (error == ENOENT || error == EAGAIN)))
		return FAULT_refused;
	if (error == ECONNRESET || error == EPIPE || error == ECONNABORTED)
		return FAULT_reset;
	return error == ETIMEDOUT ? FAULT_timed_out : FAULT_other;
}

static void client_answered(struct client *c, bool ended)
{
	if (c->answer.status < 200 || c->answer.status >= 500)
		counts.fault[FAULT_bad]++;
	else
		count_answer(c);
	if (!c->keep && !ended && !state.ended) {
		answer_clear(&c->answer);
		move_to(c, CLOSING, now() + PATIENCE_FOR_END);
		return;
	}
	if (ended || c->answer.closes || !c->keep)
		disconnect(c);
	else
		c->reused = true;
	client_done(c);
}

static void client_read(struct client *c)
{
	char bytes[16384];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		answer_add(&c->answer, bytes, (size_t)n);
	if (n >= 0 && answer_is_whole(&c->answer, n == 0))
		client_answered(c, n == 0);
	else if (n == 0)
		client_failed(c, FAULT_reset, 0);
	else if (n < 0)
		client_failed(c, fault_of(errno), errno);
}

static void watch(struct client *c, int how, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (epoll_ctl(state.epoll, how, c->fd, &e) < 0) {
		perror("load: epoll_ctl");
		exit(1);
	}
}

static void client_ask(struct client *c)
{
	const char *text = c->keep ? state.ask : state.ask_and_close;
	size_t length = strlen(text);
	ssize_t n = send(c->fd, text + c->sent, length - c->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		watch(c, EPOLL_CTL_MOD, EPOLLOUT);
		return;
	}
	if (n < 0) {
		client_failed(c, fault_of(errno), errno);
		return;
	}
	c->sent += (size_t)n;
	watch(c, EPOLL_CTL_MOD, c->sent < length ? EPOLLOUT : EPOLLIN);
	if (c->sent == length)
		c->step = READING;	/* the same queue, the same deadline */
}

/* A request begins: over the connection that is there, or over a new one. */
static void client_start(struct client *c)
{
	move_to(c, ASKING, now() + PATIENCE);
	c->sent = 0;
	counts.keep_alive_requests += c->keep;
	if (c->fd >= 0)
		client_ask(c);
	else
		client_connect(c);
}

static void client_connect(struct client *c)
{
	int rc;

	move_to(c, CONNECTING, now() + PATIENCE);
	c->sent = 0;
	counts.new_connections++;
	c->fd = socket(state.to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		client_failed(c, FAULT_other, errno);
		return;
	}
	rc = connect(c->fd, (struct sockaddr *)&state.to, state.to_length);
	if (rc < 0 && errno != EINPROGRESS)
		client_failed(c, fault_of(errno), errno);
	else
		watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void client_connected(struct client *c)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error) {
		client_failed(c, fault_of(error), error);
		return;
	}
	c->step = ASKING;
	client_ask(c);
}

static void client_on(struct client *c)
{
	char rest[256];
	ssize_t n;

	switch (c->step) {
	case CONNECTING:
		client_connected(c);
		break;
	case ASKING:
		client_ask(c);
		break;
	case READING:
		client_read(c);
		break;
	case CLOSING:
		n = recv(c->fd, rest, sizeof(rest), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			client_free(c);
		break;
	case PAUSING:		/* closed while idle: nobody was waiting for anything */
		disconnect(c);
		break;
	}
}

static struct client *client_new(bool keep, int64_t due)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	*c = (struct client){ .step = PAUSING, .fd = -1, .keep = keep, .due = due, .until = due };
	TAILQ_INSERT_TAIL(&state.pausing, c, node);
	return c;
}

/* What the clock asks for */

static void start_what_is_due(void)
{
	int64_t t = now();
	struct client *c, *next;

	for (c = TAILQ_FIRST(&state.pausing); c; c = next) {
		next = TAILQ_NEXT(c, node);
		if (c->due <= t)
			client_start(c);
	}
	for (int burst = 0; burst < 200; burst++) {
		int64_t due = state.began + (int64_t)((double)counts.due * SECOND / options.rate);

		if (options.rate <= 0 || due > t)
			return;
		counts.due++;
		client_start(client_new(false, due));
	}
}

static void end_what_lasts_too_long(void)
{
	int64_t t = now();
	struct client *c;

	while ((c = TAILQ_FIRST(&state.waiting)) && c->until <= t)
		client_failed(c, FAULT_timed_out, 0);
	while ((c = TAILQ_FIRST(&state.closing)) && c->until <= t)
		client_free(c);
}

static void stop_loading(void)
{
	struct client *c;

	if (state.ended)
		return;
	state.ended = now();
	while ((c = TAILQ_FIRST(&state.pausing)))
		client_free(c);
	while ((c = TAILQ_FIRST(&state.closing)))
		client_free(c);
}

static void on_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGUSR1)
		report(stdout);
	else
		stop_loading();
}

static void on_stdin(void)
{
	char bytes[256];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n > 0)
		return;
	epoll_ctl(state.epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	stop_loading();
}

static int signal_descriptor(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static bool over(void)
{
	if (!state.ended && options.seconds > 0 &&
	    now() - state.began >= (int64_t)(options.seconds * SECOND))
		stop_loading();
	return state.ended && TAILQ_EMPTY(&state.waiting);
}

static void run(const int *signals)
{
	struct epoll_event events[256];

	while (!over()) {
		int n = epoll_wait(state.epoll, events, 256, 1);
		bool was_loading = !state.ended;

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == signals)
				on_signal(*signals);
			else if (!events[i].data.ptr)
				on_stdin();
			else
				client_on(events[i].data.ptr);
			if (state.ended && was_loading)
				break;	/* stopping freed clients; the rest comes again */
		}
		end_what_lasts_too_long();
		if (!state.ended)
			start_what_is_due();
	}
}

static void prepare(int *signals)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = signals };

	state.epoll = epoll_create1(EPOLL_CLOEXEC);
	*signals = signal_descriptor();
	epoll_ctl(state.epoll, EPOLL_CTL_ADD, *signals, &e);
	e.data.ptr = NULL;
	if (options.until_stdin_closes &&
	    epoll_ctl(state.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e) < 0) {
		fprintf(stderr, "load: stdin: %s; --until-stdin-closes needs a pipe\n",
			strerror(errno));
		exit(2);
	}
	snprintf(state.ask, sizeof(state.ask), "GET %s HTTP/1.1\r\nHost: load\r\n\r\n",
		 options.path);
	snprintf(state.ask_and_close, sizeof(state.ask_and_close),
		 "GET %s HTTP/1.1\r\nHost: load\r\nConnection: close\r\n\r\n", options.path);
	TAILQ_INIT(&state.waiting);
	TAILQ_INIT(&state.closing);
	TAILQ_INIT(&state.pausing);
	state.began = now();
	for (int i = 0; i < (int)options.keep_alive; i++)
		client_new(true, state.began + (int64_t)(options.interval * 1000 * i /
							 options.keep_alive));
}

int main(int argc, char **argv)
{
	int signals;
	FILE *file = NULL;

	(void)argc;
	option_read(option_rows, argv);
	if (!options.address || !address_read(options.address, &state.to, &state.to_length))
		option_usage(option_rows, options.address ? options.address : "no --address");
	if (options.seconds <= 0 && !options.until_stdin_closes)
		option_usage(option_rows, "neither --seconds nor --until-stdin-closes");
	if (options.report && !(file = fopen(options.report, "we"))) {
		perror(options.report);
		return 2;
	}
	prepare(&signals);
	run(&signals);
	report(stdout);
	if (file) {
		report(file);
		fclose(file);
	}
	free(counts.times);
	return 0;
}
