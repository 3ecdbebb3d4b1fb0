#include "socket/blocker.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>

#include "base/owner.h"
#include "socket/rule.h"

const char *blocker_kind_word(enum blocker_kind kind)
{
	static const char *const words[] = {
#define X(name, word) [BLOCKER_##name] = word,
		BLOCKER_KINDS(X)
#undef X
	};

	return words[kind];
}

/* How a state ends, where the connections in it belong to nobody any more. */
static const struct state {
	const char *word;
	int64_t then_ms;	/* what may follow when its own time is over; -1: it has none */
	bool silent;		/* its end is no news */
} states[FACTS_STATES] = {
	[TCP_ESTABLISHED] = { "ESTABLISHED", -1, false },
	[TCP_SYN_SENT] = { "SYN_SENT", -1, false },
	[TCP_SYN_RECV] = { "SYN_RECV", -1, false },
	[TCP_FIN_WAIT1] = { "FIN_WAIT_1", -1, false },
	/* Its peer may close at the last moment: then TIME_WAIT follows. */
	[TCP_FIN_WAIT2] = { "FIN_WAIT_2", TIME_WAIT_MS, true },
	[TCP_TIME_WAIT] = { "TIME_WAIT", 0, true },
	[TCP_CLOSE] = { "BOUND", -1, false },
	[TCP_CLOSE_WAIT] = { "CLOSE_WAIT", -1, false },
	[TCP_LAST_ACK] = { "LAST_ACK", -1, false },
	[TCP_LISTEN] = { "LISTEN", -1, false },
	[TCP_CLOSING] = { "CLOSING", -1, false },
};

const char *blocker_state_word(int state)
{
	return state > 0 && state < FACTS_STATES ? states[state].word : NULL;
}

static void add(struct judgement *v, const struct blocker *b)
{
	v->blockers[v->count++] = *b;
	v->answer = CANNOT_BIND;
	if (b->after_ms > v->after_ms)
		v->after_ms = b->after_ms;
	if (b->before_ms < 0 || v->before_ms < 0)
		v->before_ms = -1;
	else if (b->before_ms > v->before_ms)
		v->before_ms = b->before_ms;
}

static void add_cause(struct judgement *v, enum blocker_kind kind)
{
	add(v, &(struct blocker){ .kind = kind, .options = -1, .after_ms = -1, .before_ms = -1 });
}

static void add_holders(const struct facts *f, struct judgement *v)
{
	bool datagram = f->type == SOCK_DGRAM;

	for (size_t i = 0; i < f->holder_count && i < FACTS_HOLDERS; i++) {
		int state = f->family == AF_UNIX || datagram ? 0 :
			    f->listens[i]		     ? TCP_LISTEN :
							       TCP_CLOSE;

		add(v, &(struct blocker){ .kind = BLOCKER_LISTENER, .state = state, .count = 1,
					  .options = f->options[i],
					  .holder = f->holders[i], .after_ms = -1,
					  .before_ms = -1 });
	}
}

static bool is_timed(const struct left *l, int state)
{
	return l->timed == l->count && states[state].then_ms >= 0;
}

static void add_left(const struct facts *f, struct judgement *v)
{
	for (int i = 1; i < FACTS_STATES; i++) {
		const struct left *l = &f->left[i];
		struct blocker b = { .kind = BLOCKER_CONNECTION, .state = i, .count = l->count,
				     .options = -1, .holder = l->by, .after_ms = -1, .before_ms = -1 };

		if (!l->count)
			continue;
		if (l->timed)
			b.after_ms = l->latest_ms;
		if (is_timed(l, i))
			b.before_ms = l->latest_ms + states[i].then_ms + TIMER_LATE_MS;
		v->endable = v->endable && !l->held;
		v->silent = v->silent || (l->timed && states[i].silent);
		add(v, &b);
	}
}

/* Whether ours is refused beside what is left, if its listener had these options. */
static bool refused_beside(const struct facts *f, unsigned options)
{
	struct rule_socket ours = { .claim = f->claim, .options = f->sharing ? REUSE_ADDRESS : 0 };

	for (int i = 1; i < FACTS_STATES; i++) {
		struct rule_socket theirs = { .claim = f->claim, .options = options,
					      .stage = rule_stage_of(i, !f->left[i].held) };

		if (f->left[i].count && rule_bind(&rule_linux, &theirs, &ours))
			return true;
	}
	return false;
}

/* What all of them have set, for what they accepted has it too; -1: not visible. */
static int options_of_all(const struct facts *f)
{
	int options = REUSE_ADDRESS | REUSE_PORT;

	for (size_t i = 0; i < f->holder_count; i++) {
		if (i >= FACTS_HOLDERS || f->options[i] < 0)
			return -1;
		options &= f->options[i];
	}
	return options;
}

/* Whether connections beside a listener are in the way too is a question of its
 * options: the bind fails for it alone. */
static void judge_taken(const struct facts *f, struct judgement *v)
{
	int options = options_of_all(f);

	v->answer = CANNOT_BIND;
	if (f->no_socket || (f->path_trouble[0] && !f->holder_count)) {
		add_cause(v, BLOCKER_PATH);
		return;
	}
	add_holders(f, v);
	if (f->holder_count && !refused_beside(f, options < 0 ? REUSE_ADDRESS : (unsigned)options)) {
		v->maybe = options < 0 && refused_beside(f, 0);
		return;
	}
	v->endable = v->forcible = !f->holder_count && refused_beside(f, 0);
	add_left(f, v);
}

static void judge_forbidden(const struct facts *f, struct judgement *v)
{
	add_cause(v, f->path_trouble[0] ? BLOCKER_PATH : BLOCKER_PRIVILEGE);
	add_holders(f, v);
}

void blocker_judge(const struct facts *f, struct judgement *ret)
{
	struct judgement v = { .answer = CAN_BIND };

	switch (f->why) {
	case 0:
		v.maybe = refused_beside(f, 0);
		break;
	case EADDRINUSE:
		judge_taken(f, &v);
		break;
	case EACCES:
	case EPERM:
		judge_forbidden(f, &v);
		break;
	case EADDRNOTAVAIL:
		add_cause(&v, BLOCKER_NO_SUCH_ADDRESS);
		break;
	default:
		v.answer = NOT_KNOWN;
		if (f->path_trouble[0])
			add_cause(&v, BLOCKER_PATH);
	}
	if (!v.count && v.answer != CAN_BIND)
		v.before_ms = -1;
	*ret = v;
}

bool blocker_same(const struct judgement *a, const struct judgement *b)
{
	if (a->answer != b->answer || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->blockers[i].kind != b->blockers[i].kind ||
		    a->blockers[i].state != b->blockers[i].state ||
		    a->blockers[i].holder.pid != b->blockers[i].holder.pid)
			return false;
	return true;
}
