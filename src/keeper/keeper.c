#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "keeper/channel.h"
#include "keeper/hold.h"
#include "keeper/images.h"
#include "keeper/onward.h"
#include "keeper/passed.h"
#include "keeper/relay.h"
#include "platform/handle.h"
#include "platform/process.h"
#include "rollout/backoff.h"

enum {
	EXIT_NO_MANAGER = 1,
	ENDS_WITHIN_MS = 5000,
	FD_DIGITS = 12,
	/* A manager that dies is followed at once, one that keeps dying after a pause. */
	PAUSE_FIRST_MS = 100,
	PAUSE_MOST_MS = 5000,
	LIVED_WELL_MS = 10000,
	FIRST_TRIES = 3,		/* of a first one, which nobody has seen at work */
};

struct keeper {
	char **words;			/* a manager's argv */
	char channel_text[FD_DIGITS];	/* in it */
	struct images images;		/* what managers are started from */
	bool renew;			/* our own image is the old one still */
	const char *ended_for;		/* we ended the manager, and why; NULL: no */
	int signals;			/* numbers of those that came, a byte each */
	int channel;			/* -1: nobody is at the other end */
	struct process manager;
	int report;			/* of its exec */
	int64_t began;
	bool settled, leaving;		/* it said so */
	bool settled_once;		/* one of them did */
	bool orphaned;			/* we were a manager, and nobody's child */
	unsigned deaths;		/* in a row */
	int64_t restart;		/* when the next one is started; 0: it is there */
	struct hold hold;
	struct rlimit files;		/* as we were started */
	struct relay relay;
	struct passed passed;
	int code;			/* what we end with; -1: not yet */
};

static void pass_down(struct keeper *k, int number)
{
	if (k->channel < 0 ||
	    channel_send(k->channel, CHANNEL_SIGNAL, number, 0, NULL, -1) < 0)
		k->passed.put_off[number] = true;
	else
		passed_await(&k->passed, number);
}

/* Everything that its predecessor left, but to one that has it all. */
static void give_all(struct keeper *k, size_t has)
{
	if (has != hold_count(&k->hold) && hold_give(&k->hold, k->channel) < 0)
		return;			/* it does not read: it ends, or is ended */
	(void)channel_send(k->channel, CHANNEL_GIVEN, k->settled_once, k->orphaned,
			   k->images.why, -1);
	for (int number = 0; (number = passed_next(&k->passed, number));)
		pass_down(k, number);
}

/* What our starter left open for a manager (sd_listen_fds(3)) has no close-on-exec
 * and goes through us to it; what is ours has. */
static int spawn_manager(struct keeper *k, int channel, struct err *err)
{
	static const int same[] = { 0, 1, 2 };
	struct spawn_limit files = { .resource = RLIMIT_NOFILE, .value = k->files };
	struct spawn s = { .path = k->words[0], .file = &k->images.runs, .argv = k->words,
			   .env = environ, .session = true, .fds = same,
			   .fd_count = COUNT(same), .limits = &files, .limit_count = 1 };

	(void)snprintf(k->channel_text, sizeof(k->channel_text), "%d", channel);
	(void)fcntl(channel, F_SETFD, 0);
	fd_close(&k->report);
	return platform_spawn(&s, &k->manager, &k->report, err);
}

static int start_manager(struct keeper *k, struct err *err)
{
	int ends[2];

	if (channel_open(ends, err) < 0)
		return -1;
	if (spawn_manager(k, ends[1], err) < 0) {
		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return -1;
	}
	fd_close(&ends[1]);
	k->channel = ends[0];
	k->began = clock_monotonic_ms();
	k->leaving = false;
	k->restart = 0;
	give_all(k, 0);
	return 0;
}

/* What our starter left is in the hands of the manager, or was not wanted. */
static void settle(struct keeper *k)
{
	if (!k->settled_once)
		platform_close_inherited_from(STDERR_FILENO + 1);
	k->settled = k->settled_once = true;
	k->renew = images_settle(&k->images);
	k->images.why[0] = '\0';
	/* What came while it was between two images, it hears now. */
	passed_wind_up(&k->passed);
}

static void answer_peek(struct keeper *k, pid_t pid)
{
	struct process p = { .pid = pid, .handle = -1 };
	struct process_end end;
	int ended = platform_peek(&p, &end);
	int64_t how = ended > 0 ? channel_end(&end) : ended == 0 ? END_NOT_YET : END_UNKNOWN;

	(void)channel_send(k->channel, CHANNEL_ENDED, pid, how, NULL, -1);
}

static void reap(struct keeper *k, pid_t pid)
{
	struct process p = { .pid = pid, .handle = -1 };

	if (hold_is_foster(&k->hold, pid))
		platform_reap(&p);
	hold_release(&k->hold, pid);
}

static void notify(struct keeper *k, const struct channel_message *m, int fd)
{
	int why = relay_send(&k->relay, m->text, fd);

	if (why || m->number >= 0)
		(void)channel_send(k->channel, CHANNEL_NOTIFIED, m->number, why, NULL, -1);
}

static void hear(struct keeper *k, const struct channel_message *m, int *fd)
{
	switch (m->word) {
	case CHANNEL_TAKEN:
		passed_taken(&k->passed, m->number);
		break;
	case CHANNEL_NOTIFY:
		notify(k, m, *fd);
		break;
	case CHANNEL_SETTLED:
		settle(k);
		break;
	case CHANNEL_HOLD:
		hold_put(&k->hold, m->number, m->text, fd);
		break;
	case CHANNEL_DROP:
		hold_drop(&k->hold, m->number);
		break;
	case CHANNEL_FOSTER:
		hold_foster(&k->hold, m->pids, (size_t)m->number);
		break;
	case CHANNEL_PEEK:
		answer_peek(k, (pid_t)m->number);
		break;
	case CHANNEL_REAP:
		reap(k, (pid_t)m->number);
		break;
	case CHANNEL_LEAVING:
		k->leaving = !images_tries(&k->images);
		break;
	case CHANNEL_UPGRADE:
		images_try(&k->images, fd, clock_monotonic_ms() + m->number);
		break;
	case CHANNEL_STAYED:
		images_stay(&k->images);
		break;
	case CHANNEL_TAKE:
		give_all(k, (size_t)m->number);
		break;
	default:
		break;
	}
}

/* One that ends hangs up before its children become ours. */
static bool manager_lives(const struct keeper *k)
{
	struct pollfd hang_up = { .fd = k->channel };

	return k->channel >= 0 && poll(&hang_up, 1, 0) == 0;
}

/* Whoever lost his parent below us is ours to take away, but for workers: a manager
 * looks at them first.  Before it has told us which they are, nobody is. */
static void take_orphans(struct keeper *k)
{
	struct process orphan = PROCESS_NONE;

	while (k->settled && (orphan.pid = platform_ended_child()) > 0 && manager_lives(k) &&
	       orphan.pid != k->manager.pid && !hold_is_foster(&k->hold, orphan.pid))
		platform_reap(&orphan);
}

static void listen_to_manager(struct keeper *k)
{
	struct channel_message m;
	int fd = -1, got = 0;

	while (k->channel >= 0 && (got = channel_receive(k->channel, &m, &fd)) > 0) {
		hear(k, &m, &fd);
		fd_close(&fd);
	}
	if (got < 0)
		fd_close(&k->channel);
	take_orphans(k);
}

static int64_t pause_before_next(const struct keeper *k)
{
	return k->deaths > 1 ? backoff_delay(PAUSE_FIRST_MS, PAUSE_MOST_MS, k->deaths - 1, 0) : 0;
}

/* It is followed by another one, with all that we hold. */
static void bury_manager(struct keeper *k, const struct process_end *end)
{
	int64_t now = clock_monotonic_ms();

	if (images_tries(&k->images)) {
		images_roll_back(&k->images, end, k->ended_for);
		log_error("the upgrade is rolled back: %s", k->images.why);
		k->deaths = 0;
	}
	k->ended_for = NULL;
	k->deaths = k->settled && now - k->began > LIVED_WELL_MS ? 1 : k->deaths + 1;
	log_error("the manager ended with %s %d; %s", end->signal ? "signal" : "exit status",
		  end->signal ? end->signal : end->code,
		  k->deaths > 1 ? "another one is started after a pause" : "another one is started");
	k->restart = now + pause_before_next(k);
	k->settled = false;	/* who ends now is for the next one to look at */
}

static bool is_the_end(const struct keeper *k, const struct process_end *end)
{
	if (k->leaving)
		return true;
	return !k->settled_once && (!end->signal || k->deaths + 1 >= FIRST_TRIES);
}

/* What it said last counts. */
static void look_at_manager(struct keeper *k)
{
	struct process_end end;

	if (platform_peek(&k->manager, &end) <= 0)
		return;
	listen_to_manager(k);
	platform_reap(&k->manager);
	fd_close(&k->channel);
	passed_take_back(&k->passed);
	if (is_the_end(k, &end))
		k->code = end.signal ? EXIT_NO_MANAGER : end.code;
	else
		bury_manager(k, &end);
}

/* The watchdog above us: our manager's loop does not turn.  While it lives nobody gets what
 * it has; with both of us gone the next `run` takes up what lives. */
static _Noreturn void end_both(struct keeper *k)
{
	struct pollfd gone = { .fd = k->manager.handle, .events = POLLIN };

	log_error("ended as one that does not answer, and the manager too");
	if (k->manager.pid > 0 && platform_signal(&k->manager, SIGKILL) == 0)
		(void)poll(&gone, 1, ENDS_WITHIN_MS);
	(void)signal(SIGABRT, SIG_DFL);
	abort();
}

static void heed_signals(struct keeper *k)
{
	unsigned char number;

	while (read(k->signals, &number, 1) == 1) {
		if (number == SIGABRT)
			end_both(k);
		if (number != SIGCHLD) {
			pass_down(k, number);
			continue;
		}
		look_at_manager(k);
		take_orphans(k);
	}
}

static void start_next(struct keeper *k)
{
	struct err err;

	if (start_manager(k, &err) == 0)
		return;
	log_error("%s", err.text);
	k->deaths++;
	k->restart = clock_monotonic_ms() + pause_before_next(k);
}

/* The moment by which the manager has to have answered us; 0: it has.  One that is
 * between two images is not asked for anything else. */
static int64_t due(const struct keeper *k)
{
	return images_tries(&k->images) ? k->images.until : k->passed.deadline;
}

static void look_at_clock(struct keeper *k)
{
	int64_t now = clock_monotonic_ms();

	if (k->restart && now >= k->restart)
		start_next(k);
	if (!due(k) || now < due(k) || k->ended_for)
		return;
	k->ended_for = images_tries(&k->images) ? "it did not report in time"
					 : "it did not take a signal in time";
	log_error("the manager is ended: %s", k->ended_for);
	(void)platform_signal(&k->manager, SIGKILL);
}

static void wait_for_news(struct keeper *k)
{
	struct pollfd fds[] = { { .fd = k->signals, .events = POLLIN },
				{ .fd = k->channel, .events = POLLIN } };
	int64_t until = k->restart ? k->restart : k->ended_for ? 0 : due(k);
	int64_t left = until ? until - clock_monotonic_ms() : -1;

	if (until && left < 0)
		left = 0;
	if (poll(fds, COUNT(fds), (int)left) < 0)
		return;
	if (fds[1].revents)
		listen_to_manager(k);
	if (fds[0].revents)
		heed_signals(k);
}

/* run -c FILE → holdportd manage 5 run -c FILE */
static void make_words(struct keeper *k, const struct keeper_start *start)
{
	static char manage[] = KEEPER_MANAGE;

	k->words = mem_words(start->words, 3);
	k->words[0] = start->path;
	k->words[1] = manage;
	k->words[2] = k->channel_text;
}

/* Each program costs us some descriptors; a manager's limit is what we were given. */
static void make_room(struct keeper *k)
{
	struct rlimit most;

	(void)getrlimit(RLIMIT_NOFILE, &k->files);
	most = k->files;
	most.rlim_cur = most.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &most);
}

/* With what the image before ours held: a keeper had a manager, a manager has become one
 * because its keeper had ended. */
static void go_on(struct keeper *k, int left)
{
	struct onward o;

	if (left < 0)
		return;
	k->settled_once = k->orphaned = true;
	if (!onward_read(&left, &k->hold, &o))
		return;
	k->orphaned = o.orphaned;
	k->manager = (struct process){ .pid = o.manager, .handle = platform_handle_open(o.manager) };
	k->channel = o.channel;
	k->files.rlim_cur = o.files;
	k->began = clock_monotonic_ms();
	k->settled = true;
	passed_read(&k->passed, &o.untaken);
}

static int begin(struct keeper *k, const struct keeper_start *start, struct err *err)
{
	make_words(k, start);
	make_room(k);
	go_on(k, start->left);
	/* A service manager believes the process that it started, and no other. */
	relay_open(&k->relay, k->orphaned ? NULL : start->above);
	(void)platform_become_reaper();
	k->images.runs = platform_own_image(k->words[0]);
	if (k->images.runs < 0)
		return err_sys(err, errno, "cannot hold our own executable");
	if ((k->signals = passed_catch(err)) < 0)
		return -1;
	return k->channel >= 0 ? 0 : start_manager(k, err);
}

/* As the executable that our manager has gone on as.  Signals that came are passed down
 * before, those that come wait. */
static void renew(struct keeper *k)
{
	static char keep[] = KEEPER_KEEP, manage[] = KEEPER_MANAGE;
	struct onward o = { .channel = k->channel, .files = k->files.rlim_cur,
			    .orphaned = k->orphaned };
	struct err err = { 0 };
	int file;

	k->renew = false;
	platform_block_signals();
	heed_signals(k);
	o.manager = k->manager.pid;
	passed_write(&k->passed, &o.untaken);
	if (k->channel >= 0 && (file = onward_write(&k->hold, &o, &err)) >= 0) {
		k->words[1] = keep;
		(void)snprintf(k->channel_text, sizeof(k->channel_text), "%d", file);
		(void)platform_become(k->images.runs, k->words, environ);
		(void)err_sys(&err, errno, "it cannot be executed");
		k->words[1] = manage;
		onward_undo(&k->hold, &o, &file);
	}
	if (*err.text)
		log_error("the keeper goes on as the version that it is: %s", err.text);
	platform_take_signals();
}

int keeper_run(const struct keeper_start *start)
{
	struct keeper k = { .signals = -1, .channel = -1, .report = -1,
			    .images = { .runs = -1, .tried = -1 },
			    .manager = PROCESS_NONE, .code = -1 };
	struct err err;

	if (begin(&k, start, &err) < 0) {
		log_error("%s", err.text);
		k.code = EXIT_NO_MANAGER;
	}
	while (k.code < 0) {
		wait_for_news(&k);
		look_at_clock(&k);
		if (k.renew && k.code < 0)
			renew(&k);
	}
	hold_close(&k.hold);
	relay_close(&k.relay);
	free(k.words);
	return k.code;
}
