#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "keeper/channel.h"
#include "keeper/relay.h"
#include "platform/process.h"

enum { EXIT_NO_MANAGER = 1, TAKEN_WITHIN_MS = 5000, FD_DIGITS = 12 };

struct keeper {
	char **words;			/* a manager's argv */
	char channel_text[FD_DIGITS];	/* in it */
	int image;			/* our own executable */
	int signals;			/* numbers of those that came, a byte each */
	int channel;			/* -1: nobody is at the other end */
	struct process manager;
	int report;			/* of its exec */
	struct relay relay;
	unsigned untaken;		/* signals that were passed down */
	int64_t deadline;		/* for them; 0: none */
	int code;			/* what we end with; -1: not yet */
};

static const int passed_down[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 };

/* The writing end for the handler: no handler is given anything but a number. */
static int caught = -1;

static void on_signal(int number)
{
	unsigned char byte = (unsigned char)number;
	int kept = errno;

	(void)!write(caught, &byte, 1);
	errno = kept;
}

static int catch_signals(struct keeper *k, struct err *err)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t none;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot make a pipe for signals");
	k->signals = ends[0];
	caught = ends[1];
	(void)sigfillset(&act.sa_mask);
	for (size_t i = 0; i < COUNT(passed_down); i++)
		(void)sigaction(passed_down[i], &act, NULL);
	(void)sigaction(SIGCHLD, &act, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Whoever started us may have blocked them. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

/* What our starter left open for a manager (sd_listen_fds(3)) has no close-on-exec
 * and goes through us to it; what is ours has. */
static int start_manager(struct keeper *k, struct err *err)
{
	static const int same[] = { 0, 1, 2 };
	struct spawn s = { .path = k->words[0], .file = &k->image, .argv = k->words,
			   .env = environ, .session = true, .fds = same,
			   .fd_count = COUNT(same) };
	int ends[2];

	if (channel_open(ends, err) < 0)
		return -1;
	(void)snprintf(k->channel_text, sizeof(k->channel_text), "%d", ends[1]);
	(void)fcntl(ends[1], F_SETFD, 0);
	if (platform_spawn(&s, &k->manager, &k->report, err) < 0)
		fd_close(&ends[0]);
	fd_close(&ends[1]);
	k->channel = ends[0];
	return k->channel >= 0 ? 0 : -1;
}

static void pass_down(struct keeper *k, int number)
{
	if (channel_send(k->channel, CHANNEL_SIGNAL, number, 0, NULL, -1) < 0 && errno == EPIPE)
		return;			/* it has ended; that is dealt with elsewhere */
	k->untaken++;
	if (!k->deadline)
		k->deadline = clock_monotonic_ms() + TAKEN_WITHIN_MS;
}

static void taken(struct keeper *k)
{
	if (k->untaken && !--k->untaken)
		k->deadline = 0;
}

static void hear(struct keeper *k, const struct channel_message *m)
{
	switch (m->word) {
	case CHANNEL_TAKEN:
		taken(k);
		break;
	case CHANNEL_NOTIFY:
		(void)channel_send(k->channel, CHANNEL_NOTIFIED, m->number,
				   relay_send(&k->relay, m->text), NULL, -1);
		break;
	case CHANNEL_SETTLED:
		platform_close_inherited_from(STDERR_FILENO + 1);
		break;
	default:
		break;
	}
}

static void listen_to_manager(struct keeper *k)
{
	struct channel_message m;
	int fd = -1, got;

	while ((got = channel_receive(k->channel, &m, &fd)) > 0) {
		hear(k, &m);
		fd_close(&fd);
	}
	if (got < 0)
		fd_close(&k->channel);
}

/* What it said last counts. */
static void look_at_manager(struct keeper *k)
{
	struct process_end end;

	if (platform_peek(&k->manager, &end) <= 0)
		return;
	listen_to_manager(k);
	platform_reap(&k->manager);
	if (end.signal)
		log_error("the manager was ended by signal %d", end.signal);
	k->code = end.signal ? EXIT_NO_MANAGER : end.code;
}

/* Whoever lost his parent below us is ours to take away; the manager is not one. */
static void take_orphans(const struct keeper *k)
{
	struct process orphan = PROCESS_NONE;

	while ((orphan.pid = platform_ended_child()) > 0 && orphan.pid != k->manager.pid)
		platform_reap(&orphan);
}

static void heed_signals(struct keeper *k)
{
	unsigned char number;

	while (read(k->signals, &number, 1) == 1) {
		if (number != SIGCHLD) {
			pass_down(k, number);
			continue;
		}
		look_at_manager(k);
		if (k->code < 0)
			take_orphans(k);
	}
}

static void look_at_clock(struct keeper *k)
{
	if (!k->deadline || clock_monotonic_ms() < k->deadline)
		return;
	log_error("the manager did not take a signal within %d s; it is ended",
		  TAKEN_WITHIN_MS / 1000);
	k->deadline = 0;
	(void)platform_signal(&k->manager, SIGKILL);
}

static void wait_for_news(struct keeper *k)
{
	struct pollfd fds[] = { { .fd = k->signals, .events = POLLIN },
				{ .fd = k->channel, .events = POLLIN } };
	int64_t left = k->deadline ? k->deadline - clock_monotonic_ms() : -1;

	if (k->deadline && left < 0)
		left = 0;
	if (poll(fds, COUNT(fds), (int)left) < 0)
		return;
	if (fds[1].revents)
		listen_to_manager(k);
	if (fds[0].revents)
		heed_signals(k);
}

/* holdportd run -c FILE → holdportd manage 5 run -c FILE */
static void make_words(struct keeper *k, char **argv)
{
	static char manage[] = KEEPER_MANAGE;
	size_t count = 0;

	while (argv[count])
		count++;
	k->words = mem_grow(NULL, count + 3, sizeof(*k->words));
	k->words[0] = argv[0];
	k->words[1] = manage;
	k->words[2] = k->channel_text;
	memcpy(k->words + 3, argv + 1, count * sizeof(*argv));
}

static int begin(struct keeper *k, struct err *err)
{
	(void)platform_become_reaper();
	k->image = platform_own_image(k->words[0]);
	if (k->image < 0)
		return err_sys(err, errno, "cannot hold our own executable");
	if (catch_signals(k, err) < 0)
		return -1;
	return start_manager(k, err);
}

int keeper_run(char **argv, const char *above)
{
	struct keeper k = { .signals = -1, .channel = -1, .report = -1, .image = -1,
			    .manager = PROCESS_NONE, .code = -1 };
	struct err err;

	make_words(&k, argv);
	relay_open(&k.relay, above);
	if (begin(&k, &err) < 0) {
		log_error("%s", err.text);
		k.code = EXIT_NO_MANAGER;
	}
	while (k.code < 0) {
		wait_for_news(&k);
		look_at_clock(&k);
	}
	relay_close(&k.relay);
	free(k.words);
	return k.code;
}
