#include "socket/gate.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"

/* Without news: at first soon, then less often. */
#define FIRST_MS    100
#define MOST_MS	    2000
/* With news: what they do not tell is looked for this often; a FIN_WAIT_2 that its peer
 * resets more often, for that may be at any moment. */
#define SELDOM_MS   5000
#define SILENT_MS   1000
/* Beyond the moment that a timer names: the kernel is late by up to TIMER_LATE_MS. */
#define OVERDUE_MS  40
/* A burst of news is one try; and news of one end of a connection may come before
 * the other end has heard, so a try that fails is repeated soon. */
#define BURST_MS    20
#define ECHOES	    2
#define ECHO_MS	    30
/* For naming who is in the way: a walk over all processes, with the loop at rest. */
#define NAMING_MS   500

static int64_t growing(unsigned tries)
{
	int64_t pause = FIRST_MS;

	while (tries-- > 1 && pause < MOST_MS)
		pause += pause / 2;
	return pause < MOST_MS ? pause : MOST_MS;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool may_be_reset(const struct judgement *j)
{
	for (size_t i = 0; i < j->count; i++)
		if (j->blockers[i].state == TCP_FIN_WAIT2 && j->blockers[i].before_ms >= 0)
			return true;
	return false;
}

int64_t gate_pause(const struct judgement *j, int64_t age_ms, unsigned tries, bool heard)
{
	int64_t pause = heard ? SELDOM_MS : growing(tries), left = j->after_ms - age_ms;

	if (!j->silent)
		return pause;
	if (j->before_ms < 0)	/* something else is in the way as well */
		return left > 0 ? least(left, pause) : pause;
	if (left > 0)
		return least(left, may_be_reset(j) ? SILENT_MS : SELDOM_MS);
	return left > -TIMER_LATE_MS ? OVERDUE_MS : pause;
}

void gate_init(struct gate *g, struct loop *loop, const struct key *key,
	       void (*go)(struct gate *g), void (*late)(struct gate *g))
{
	*g = (struct gate){ .loop = loop, .go = go, .late = late, .key = key, .hears = -1 };
}

static void stop_hearing(struct gate *g)
{
	loop_io_stop(&g->news);
	fd_close(&g->hears);
	g->what = HEARS_NOTHING;
}

void gate_open(struct gate *g)
{
	stop_hearing(g);
	loop_timer_stop(&g->again);
	loop_timer_stop(&g->patience);
	g->since = 0;
	g->tries = g->looks = g->echoes = g->blind = 0;
	g->over = g->unseen = false;
	free(g->view);
	g->view = NULL;
}

static void go(struct gate *g)
{
	g->tried = loop_now(g->loop);
	g->go(g);
}

static void on_again(struct loop_timer *t)
{
	go(OWNER(t, struct gate, again));
}

void gate_try(struct gate *g)
{
	loop_timer_start(g->loop, &g->again, 0, on_again);
}

static void on_patience_over(struct loop_timer *t)
{
	struct gate *g = OWNER(t, struct gate, patience);

	g->over = true;
	g->late(g);
}

/* The descriptor stays readable while there is more: a burst is read as it comes, and
 * tried for once in BURST_MS. */
static void on_news(struct loop_io *io, int events)
{
	struct gate *g = OWNER(io, struct gate, news);
	int64_t since = loop_now(g->loop) - g->tried;

	(void)events;
	if (!platform_heard(g->hears))
		return;
	g->unseen = true;
	g->echoes = ECHOES;
	if (since >= BURST_MS)
		go(g);
	else
		loop_timer_start(g->loop, &g->again, BURST_MS - since, on_again);
}

static int what_to_hear(const struct gate *g, const struct attempt *a)
{
	if (a->why == EADDRNOTAVAIL)
		return HEARS_ADDRESSES;
	if (a->key->family == AF_UNIX || a->why != EADDRINUSE)
		return HEARS_NOTHING;
	/* While there is a listener, what its clients do does not matter. */
	return g->view && g->view->facts.holder_count && a->key->type == SOCK_STREAM ?
		       HEARS_LISTENERS :
		       HEARS_SOCKETS;
}

/* True: it hears of something else now, so what went meanwhile was not heard of. */
static bool hear(struct gate *g, const struct attempt *a)
{
	int what = what_to_hear(g, a), port = address_port(&a->key->address);

	if (what == (int)g->what)
		return false;
	stop_hearing(g);
	if (what == HEARS_ADDRESSES)
		g->hears = platform_hear_addresses(NULL);
	else if (what != HEARS_NOTHING)
		g->hears = platform_hear_sockets(port, a->key->type, what == HEARS_LISTENERS,
						 NULL);
	g->what = (unsigned)what;
	if (g->hears < 0)
		return false;
	loop_io_start(g->loop, &g->news, g->hears, LOOP_READ, on_news);
	return true;
}

/* A look costs as much as ten tries, and as a thousand where a new holder has to be
 * named: there may be a few at once, some more in a row, then one in a while. */
static int64_t look_pause(unsigned looks)
{
	return looks < 4 ? 0 : looks < 20 ? 1000 : 5000;
}

/* How long until the next look; 0: now. */
static int64_t look_due(const struct gate *g, const struct attempt *a, int64_t now)
{
	int64_t age = now - g->looked, after, pause;
	const struct judgement *j;

	if (!g->view || a->why != g->view->facts.why)
		return 0;
	j = &g->view->judgement;
	after = j->after_ms > 0 ? j->after_ms : INT64_MAX;
	pause = g->unseen || !j->silent ? look_pause(g->looks) : INT64_MAX;
	if (!g->unseen && pause < SELDOM_MS)
		pause = SELDOM_MS;
	pause = least(pause, after);
	return pause > age ? pause - age : 0;
}

/* True: something else is in the way than before. */
static bool look(struct gate *g, const struct attempt *a, int64_t now)
{
	struct gate_view *was = g->view, *s = mem_new(sizeof(*s));
	bool news;

	facts_gather(a, was ? &was->facts : NULL, NAMING_MS, &s->facts);
	blocker_judge(&s->facts, &s->judgement);
	news = !was || was->facts.why != a->why ||
	       !blocker_same(&was->judgement, &s->judgement);
	free(was);
	g->view = s;
	g->looked = now;
	g->looks++;
	g->unseen = false;
	g->blind = s->facts.seen == SEEN_ALL && !s->judgement.count ? g->blind + 1 : 0;
	return news;
}

/* What was in the way has gone while it was looked at: at once, unless that is so
 * again and again. */
static int64_t blind_pause(const struct gate *g)
{
	return g->blind && g->blind < 8 ? 1 << g->blind : MOST_MS;
}

static int64_t next_pause(struct gate *g, const struct attempt *a, int64_t now)
{
	int64_t pause = gate_pause(&g->view->judgement, now - g->looked, g->tries, g->hears >= 0);

	if (g->unseen)
		pause = least(pause, look_due(g, a, now));
	if (g->blind)
		pause = least(pause, blind_pause(g));
	if (g->echoes) {
		pause = least(pause, ECHO_MS);
		g->echoes--;
	}
	return pause;
}

bool gate_shut(struct gate *g, const struct attempt *a, int64_t patience_ms)
{
	int64_t now = loop_now(g->loop), pause;
	bool news = false, deaf;

	if (!g->since) {
		g->since = now;
		g->began = time(NULL);
		loop_timer_start(g->loop, &g->patience, patience_ms, on_patience_over);
	}
	g->tries++;
	deaf = hear(g, a);
	if (!look_due(g, a, now))
		news = look(g, a, now);
	deaf = hear(g, a) || deaf;
	pause = next_pause(g, a, now);
	/* What went between the bind and the ear is found by one more try; and where
	 * nothing is in the way (a listener that was shut down), nothing is waited for. */
	if (deaf || (!a->why && g->tries == 1))
		pause = 0;
	loop_timer_start(g->loop, &g->again, pause, on_again);
	return news;
}

void gate_patience(struct gate *g, int64_t patience_ms)
{
	if (!g->since)
		return;
	g->over = false;
	loop_timer_start(g->loop, &g->patience, g->since + patience_ms - loop_now(g->loop),
			 on_patience_over);
}

static bool is_in_the_way(const struct bound *b, void *ctx)
{
	const struct gate *g = ctx;

	return facts_meet(&g->view->facts, b);
}

static bool is_unserved(const struct bound *b, void *ctx)
{
	return !b->inode && is_in_the_way(b, ctx);
}

bool gate_can_reset(const struct gate *g)
{
	return g->view && g->view->judgement.endable && platform_can(CAN_END_CONNECTIONS);
}

int gate_reset(struct gate *g, bool served, struct err *err)
{
	const struct judgement *j = g->view ? &g->view->judgement : NULL;
	int ended;

	if (served && !(j && j->forcible))
		return err_set(err, 0, "it is not connections alone that are in the way");
	if (!served && !(j && j->endable))
		return err_set(err, 0, "what is in the way is no connection that nobody serves");
	ended = platform_end_connections(g->view->facts.port,
					 served ? is_in_the_way : is_unserved, g, err);
	g->unseen = true;
	return ended;
}

static int64_t from_now(const struct gate *g, int64_t ms)
{
	int64_t left = ms - (loop_now(g->loop) - g->looked);

	return left > 0 ? left : 0;
}

int64_t gate_after(const struct gate *g)
{
	const struct judgement *j = g->view ? &g->view->judgement : NULL;

	if (!j || (j->after_ms <= 0 && j->before_ms < 0))
		return -1;
	return from_now(g, j->after_ms);
}

int64_t gate_before(const struct gate *g)
{
	const struct judgement *j = g->view ? &g->view->judgement : NULL;

	return j && j->before_ms >= 0 ? from_now(g, j->before_ms) : -1;
}

void gate_when(const struct gate *g, struct str *ret)
{
	if (g->view)
		blocker_when(&g->view->judgement, loop_now(g->loop) - g->looked, ret);
}
