#include "health/proof.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"

enum {
	LOOK_FIRST_MS = 5,	/* auto: the first look at what the worker waits for; ×1.5 */
	ALIVE_MS = 1000,	/* auto: nothing was seen, but it lived this long */
	PAUSES = 8,		/* as long as a look took, until the next */
	SOCKETS_LOOKED_FOR = 64,
	ASK_FIRST_MS = 50,	/* http: after one that was wrong; doubled */
	ASK_MOST_MS = 2000,
};

static void tell(struct proof *p, const char *by)
{
	if (p->told)
		return;
	p->told = true;
	proof_stop(p);
	p->proved(p, by);
}

static bool seen_waiting(const struct proof *p)
{
	unsigned long inodes[SOCKETS_LOOKED_FOR];
	size_t count = 0;

	for (size_t i = 0; i < p->spec.held_count && count < SOCKETS_LOOKED_FOR; i++)
		inodes[count++] = p->spec.held[i]->inode;
	return count && platform_waits_on(p->spec.pid, inodes, count, NULL) > 0;
}

static void on_turn_over(struct loop_later *l)
{
	tell(OWNER(l, struct proof, turn_over), "waiting");
}

/* What it said before it waited lies in our sockets; this turn hears it first. */
static void on_seen(struct loop_timer *t)
{
	struct proof *p = OWNER(t, struct proof, look);

	loop_later_start(p->loop, &p->turn_over, on_turn_over);
}

static void on_look(struct loop_timer *t)
{
	struct proof *p = OWNER(t, struct proof, look);
	int64_t now = loop_now(p->loop), lived = now - p->began;

	if (lived >= ALIVE_MS)
		tell(p, "alive");
	else if (seen_waiting(p))
		loop_timer_start(p->loop, &p->look, 0, on_seen);
	else {
		p->look_after += p->look_after / 2 + PAUSES * (loop_now(p->loop) - now);
		if (p->look_after > ALIVE_MS - lived)
			p->look_after = ALIVE_MS - lived;
		loop_timer_start(p->loop, &p->look, p->look_after, on_look);
	}
}

static void on_delay(struct loop_timer *t)
{
	tell(OWNER(t, struct proof, look), "delay");
}

/* A line, as s6 has it: anything up to a newline.  The end without one means
 * nothing; start_timeout decides. */
static void on_line(struct loop_io *io, int events)
{
	struct proof *p = OWNER(io, struct proof, line);
	char bytes[256];
	ssize_t n = read(p->spec.ready_fd, bytes, sizeof(bytes));

	(void)events;
	if (n > 0 && memchr(bytes, '\n', (size_t)n))
		tell(p, "fd");
	else if (n == 0)
		loop_io_stop(&p->line);
}

static void note_run(struct proof *p, const char *text)
{
	free(p->last_run);
	p->last_run = mem_text(text);
	log_debug("%s: readiness check: %s", p->spec.program->name, text);
}

static void ask(struct proof *p, int connection);

static void on_accepted(struct probe *probe)
{
	struct proof *p = OWNER(probe, struct proof, probe);
	int connection = fd_take(&probe->fd);

	probe_stop(probe);
	if (p->spec.program->ready.how == READY_HTTP) {
		ask(p, connection);
		return;
	}
	fd_close(&connection);
	tell(p, "tcp");
}

static void start_auto(struct proof *p)
{
	if (p->spec.must_notify)
		return;
	p->look_after = LOOK_FIRST_MS;
	loop_timer_start(p->loop, &p->look, p->look_after, on_look);
}

/* proof_said_ready() will come, or proof_listens(). */
static void start_told(struct proof *p)
{
	(void)p;
}

static void start_fd(struct proof *p)
{
	if (p->spec.ready_fd >= 0)	/* not lost with keeper and manager */
		loop_io_start(p->loop, &p->line, p->spec.ready_fd, LOOP_READ, on_line);
}

static void start_tcp(struct proof *p)
{
	for (size_t i = 0; i < p->spec.held_count; i++)
		if (p->spec.held[i]->key.type == SOCK_STREAM &&
		    address_port(&p->spec.held[i]->key.address) >= 0) {
			probe_start(&p->probe, p->loop, p->spec.held[i], p->spec.pid,
				    on_accepted);
			return;
		}
}

static void on_passed(struct trial *t)
{
	struct proof *p = t->spec.ctx;

	tell(p, p->spec.program->ready.how == READY_HTTP ? "http" : "exec");
}

static void on_failed(struct trial *t, const char *text)
{
	note_run(t->spec.ctx, text);
}

static void on_connect_again(struct loop_timer *t)
{
	start_tcp(OWNER(t, struct proof, look));
}

/* Each connection is asked once: the next one is met as the first was. */
static void on_refused(struct trial *t, const char *text)
{
	struct proof *p = t->spec.ctx;

	note_run(p, text);
	p->trial = NULL;
	trial_stop(t);
	loop_timer_start(p->loop, &p->look, p->look_after, on_connect_again);
	p->look_after = p->look_after * 2 > ASK_MOST_MS ? ASK_MOST_MS : p->look_after * 2;
}

/* Takes the connection; -1: none. */
static void ask(struct proof *p, int connection)
{
	struct trial_spec spec = {
		.loop = p->loop, .all = p->spec.trials, .program = p->spec.program,
		.passed = on_passed, .failed = connection < 0 ? on_failed : on_refused,
		.ctx = p, .fds = TRIAL_NO_FDS,
	};
	struct err err;

	p->trial = trial_ask(&spec, &p->spec.target, connection, &err);
	if (!p->trial)
		note_run(p, err.text);
}

static void start_http(struct proof *p)
{
	p->look_after = ASK_FIRST_MS;
	if (!p->spec.target.url)
		return;			/* start_timeout says that it was not proved */
	if (proof_connects(&p->spec.program->ready))
		start_tcp(p);
	else
		ask(p, -1);
}

static void start_exec(struct proof *p)
{
	struct trial_spec spec = {
		.loop = p->loop, .all = p->spec.trials, .program = p->spec.program,
		.passed = on_passed, .failed = on_failed, .ctx = p, .fds = TRIAL_NO_FDS,
	};

	p->trial = trial_start(&spec, p->spec.command);
	p->spec.command = NULL;
}

static void start_delay(struct proof *p)
{
	int64_t lived = loop_now(p->loop) - p->began;

	loop_timer_start(p->loop, &p->look, p->spec.program->ready.delay - lived, on_delay);
}

bool proof_connects(const struct ready *ready)
{
	return ready->how == READY_TCP ||
	       (ready->how == READY_HTTP && !target_is_own(ready->words.items[0]));
}

const char *proof_word(const char *text)
{
	static const char *const words[] = { "notify", "ack", "fd", "tcp", "http", "exec",
					     "delay", "listen", "waiting", "alive" };

	for (size_t i = 0; text && i < COUNT(words); i++)
		if (strcmp(words[i], text) == 0)
			return words[i];
	return NULL;
}

void proof_go_on(struct proof *p, struct loop *loop, const struct proof_spec *spec, int64_t began,
		 void (*proved)(struct proof *p, const char *by))
{
	static void (*const starts[])(struct proof *p) = {
		[READY_AUTO] = start_auto,   [READY_NOTIFY] = start_told,
		[READY_LISTEN] = start_told, [READY_FD] = start_fd,	     [READY_TCP] = start_tcp,
		[READY_HTTP] = start_http,
		[READY_EXEC] = start_exec,   [READY_DELAY] = start_delay,
	};

	*p = (struct proof){ .loop = loop, .spec = *spec, .proved = proved };
	p->began = began;
	starts[spec->program->ready.how](p);
}

static void said(struct proof *p, const char *by)
{
	if (p->loop && (p->spec.program->ready.how == READY_AUTO ||
			p->spec.program->ready.how == READY_NOTIFY))
		tell(p, by);
}

void proof_said_ready(struct proof *p)
{
	said(p, "notify");
}

void proof_acknowledged(struct proof *p)
{
	said(p, "ack");
}

void proof_listens(struct proof *p)
{
	enum ready_how how = p->spec.program->ready.how;

	if (p->loop && (how == READY_LISTEN || (how == READY_AUTO && !p->spec.must_notify)))
		tell(p, "listen");
}

void proof_stop(struct proof *p)
{
	if (!p->loop)
		return;
	loop_timer_stop(&p->look);
	loop_later_stop(&p->turn_over);
	loop_io_close(&p->line, &p->spec.ready_fd);
	probe_stop(&p->probe);
	trial_stop(p->trial);
	p->trial = NULL;
}

void proof_fini(struct proof *p)
{
	proof_stop(p);
	target_fini(&p->spec.target);
	free(p->last_run);
	p->last_run = NULL;
}
