#include "rollout/heard.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "rollout/program.h"

enum {
	ALLOWED = 10,			/* of a kind, from one worker … */
	ALLOWED_MS = 10000,		/* … in so long */
	LONGEST_S = 366 * 86400,	/* of a duration that somebody sends */
	DRAINS_MOST = 64,		/* × 16: more than a queue of datagrams holds */
};

static bool may(const struct member *m, struct allowance *a)
{
	int64_t now = loop_now(m->worker.loop);

	if (!a->used || now - a->since >= ALLOWED_MS)
		*a = (struct allowance){ .since = now };
	return a->used++ < ALLOWED;
}

static bool may_tell(struct member *m)
{
	return may(m, &m->tells);
}

static void tell(struct member *m, const char *text)
{
	if (!may_tell(m))
		return;
	log_notice("%s: worker %ld %s", m->name, (long)m->worker.pid, text);
	program_news_worker(m->generation->program, m, text);
}

/* A handoff that does not announce descriptors could not give them back. */
static void hear_store(struct member *m, struct notify_message *message)
{
	struct fd_store *kept = &m->generation->program->kept;
	const char *name = *message->fd_name ? message->fd_name : "stored";
	bool room = true;

	if (message->store_remove && *message->fd_name)
		fd_store_remove(kept, message->fd_name);
	if (!message->store || message->store_remove || message->barrier ||
	    !(m->means->program->handoff & HANDOFF_LISTEN_FDS))
		return;
	for (size_t i = message->main_pidfd; i < message->fd_count; i++)
		room = fd_store_put(kept, name, &message->fds[i], !message->store_unwatched) && room;
	if (!room && may_tell(m))
		log_warning("%s: more than %d descriptors are not kept (FDSTORE)", m->name,
			    FD_STORE_MOST);
}

static int64_t to_ms(uint64_t usec)
{
	uint64_t most = (uint64_t)LONGEST_S * 1000;
	uint64_t ms = usec / 1000 + (usec % 1000 ? 1 : 0);

	return (int64_t)(ms < most ? ms : most);
}

static void hear_status(struct member *m, struct notify_message *message)
{
	if (!message->has_status)
		return;
	free(m->status);
	m->status = mem_text(message->status);
}

static void hear_error(struct member *m, struct notify_message *message)
{
	if (message->has_error)
		m->error = message->error;
}

static void hear_extend(struct member *m, struct notify_message *message)
{
	if (message->extend_usec)
		worker_extend(&m->worker, to_ms(message->extend_usec));
}

/* A reload that began before the last one ended was told too late. */
static void hear_reloading(struct member *m, struct notify_message *message)
{
	int64_t now = loop_now(m->worker.loop);
	int64_t began = message->has_monotonic ? (int64_t)(message->monotonic_usec / 1000) : now;

	if (!message->reloading || message->ready || began < m->reloaded)
		return;
	m->reload_began = began < now ? began : now;
	if (!m->reloading)
		tell(m, "reloads");
	m->reloading = true;
}

static void end_reload(struct member *m)
{
	int64_t now = loop_now(m->worker.loop);
	char took[CLOCK_DURATION_SIZE], text[64];

	m->reloading = false;
	m->reloaded = now;
	(void)snprintf(text, sizeof(text), "has reloaded, in %s",
		       clock_duration(now - m->reload_began, took));
	tell(m, text);
}

static void hear_ready(struct member *m, struct notify_message *message)
{
	if (!message->ready)
		return;
	if (m->reloading)
		end_reload(m);
	/* Also when something else proved it first: it does speak. */
	program_proved_by(m->generation->program, "notify");
	proof_said_ready(&m->proof);
}

/* Only a process of its own: what it names gets our signals. */
static void hear_main(struct member *m, struct notify_message *message)
{
	struct main_claim claim = { .pid = message->main_pid, .id = message->main_pidfd_id,
				    .fd = message->main_pidfd && message->fd_count
						  ? message->fds[0] : -1 };
	struct worker *w = &m->worker;
	struct process main;
	struct err err;

	if ((!claim.pid && claim.fd < 0) || w->process.pid <= 0 ||
	    (claim.fd < 0 && claim.pid == w->pid))
		return;
	/* To look for it takes a walk over its family. */
	if (!may(m, &m->claims))
		return;
	if (platform_find_main(&w->process, &claim, &main, &err) < 0) {
		if (may_tell(m))
			log_warning("%s: what it calls its main process is passed over: %s",
				    m->name, err.text);
		return;
	}
	if (main.pid == w->process.pid)
		fd_close(&main.handle);
	worker_follow(w, main.pid == w->process.pid ? NULL : &main);
	tell(m, "is its main process now");
	member_write_pid(m);
}

static void hear_stopping(struct member *m, struct notify_message *message)
{
	if (!message->stopping || m->stopping)
		return;
	m->stopping = true;
	if (m->worker.state == WORKER_SERVING)
		tell(m, "stops by itself");
	worker_on(&m->worker, WORKER_EV_LEAVES);
}

static void give_up(struct member *m, char *reason)
{
	if (m->worker.state != WORKER_STARTING && m->worker.state != WORKER_SERVING) {
		free(reason);
		return;
	}
	free(m->worker.reason);
	m->worker.reason = reason;
	worker_on(&m->worker, WORKER_EV_MISSED);
}

/* What it said while we were kept from listening counts. */
static void on_missed(struct watchdog *w)
{
	struct member *m = OWNER(w, struct member, watchdog);
	char silent[CLOCK_DURATION_SIZE], interval[CLOCK_DURATION_SIZE];
	int64_t now;

	for (int i = 0; i < DRAINS_MOST && notify_drain(&m->notify); i++)
		;
	now = loop_now(m->worker.loop);
	if (!w->loop || loop_timer_runs(&w->timer))
		return;
	give_up(m, mem_format("missed its watchdog (%s > %s)",
			      clock_duration(now - w->heard, silent),
			      clock_duration(w->interval, interval)));
}

void member_watch(struct member *m)
{
	watchdog_start(&m->watchdog, m->worker.loop, m->watchdog_ms, on_missed);
}

static void hear_watchdog(struct member *m, struct notify_message *message)
{
	if (message->has_watchdog) {
		m->watchdog_ms = to_ms(message->watchdog_usec);
		if (m->worker.state == WORKER_SERVING)
			member_watch(m);
	}
	if (message->ping)
		watchdog_ping(&m->watchdog);
	if (message->trigger)
		give_up(m, mem_text("asked to be replaced (WATCHDOG=trigger)"));
}

static void hear_restart_reset(struct member *m, struct notify_message *message)
{
	struct program *p = m->generation->program;

	if (!message->restart_reset)
		return;
	p->restarts = p->failures = 0;
	if (m->seat)
		m->seat->failures = 0;
}

/* What comes often leaves nothing to write down. */
static bool says_alive_only(const struct notify_message *m)
{
	return m->ping && !m->ready && !m->has_status && !m->store && !m->stopping &&
	       !m->reloading && !m->extend_usec && !m->has_watchdog && !m->trigger;
}

/* In this order: what a message says of the past before what ends something. */
void member_heard(struct member *m, struct notify_message *message)
{
	struct program *p = m->generation->program;
	static void (*const ears[])(struct member *m, struct notify_message *message) = {
		hear_status,	hear_error,	hear_restart_reset, hear_extend,  hear_main,
		hear_store,	hear_reloading, hear_ready,	    hear_watchdog, hear_stopping,
	};

	for (size_t i = 0; i < COUNT(ears); i++)
		ears[i](m, message);
	if (!says_alive_only(message))
		program_touch(p);
}
