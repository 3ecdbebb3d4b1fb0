/* One leftover after the other, and beside each of them every second bind: one that
 * fails changes nothing, and one that passes is closed before the next. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/text_list.h"
#include "matrix/leftover.h"
#include "matrix/sight.h"

enum {
	FIRSTS = 2,			/* wildcard, specific */
	LEFT = MATRIX_STATES * MATRIX_KINDS * FIRSTS * MATRIX_OPTION_SETS,
	SECONDS = MATRIX_KINDS * MATRIX_ADDRESSES * MATRIX_OPTION_SETS,
	ATTEMPTS = 3,
	VAIN_MS = 15000,		/* for states that are not reached, all together */
};

struct outcome {
	int result;
	const char *reason;
};

struct matrix {
	struct outcome outcomes[LEFT][SECONDS];
	struct text_list reasons;	/* each of them once */
	int64_t in_vain;		/* ms */
	unsigned left_behind;
};

struct left {
	enum matrix_state state;
	struct matrix_socket socket;
};

static struct left left_at(size_t i)
{
	struct left l = { .socket.options = (unsigned)(i % MATRIX_OPTION_SETS) };

	i /= MATRIX_OPTION_SETS;
	l.state = (enum matrix_state)(i % MATRIX_STATES);
	i /= MATRIX_STATES;
	l.socket.address = (enum matrix_address)(i % FIRSTS);
	l.socket.kind = (enum matrix_kind)(i / FIRSTS);
	return l;
}

static size_t left_index(enum matrix_state state, const struct matrix_socket *s)
{
	return (((size_t)s->kind * FIRSTS + s->address) * MATRIX_STATES + state) *
		       MATRIX_OPTION_SETS + s->options;
}

static struct matrix_socket second_at(size_t i)
{
	return (struct matrix_socket){
		.options = (unsigned)(i % MATRIX_OPTION_SETS),
		.address = (enum matrix_address)(i / MATRIX_OPTION_SETS % MATRIX_ADDRESSES),
		.kind = (enum matrix_kind)(i / MATRIX_OPTION_SETS / MATRIX_ADDRESSES),
	};
}

static size_t second_index(const struct matrix_socket *s)
{
	return ((size_t)s->kind * MATRIX_ADDRESSES + s->address) * MATRIX_OPTION_SETS + s->options;
}

/* A client's rules are about one address of one family. */
static bool makes_sense(enum matrix_state state, const struct matrix_socket *first,
			const struct matrix_socket *second)
{
	return !matrix_is_client(state) ||
	       (first->address == MATRIX_SPECIFIC && second->address == MATRIX_SPECIFIC &&
		first->kind == second->kind);
}

/* The text stays where it is when the list grows. */
static const char *reason(struct matrix *m, const char *text)
{
	for (size_t i = 0; i < m->reasons.count; i++)
		if (strcmp(m->reasons.items[i], text) == 0)
			return m->reasons.items[i];
	text_list_add(&m->reasons, text);
	return m->reasons.items[m->reasons.count - 1];
}

static void all_untested(struct matrix *m, struct outcome row[SECONDS], const char *why)
{
	for (size_t i = 0; i < SECONDS; i++)
		row[i] = (struct outcome){ MATRIX_UNTESTED, reason(m, why) };
}

static void bind_all(struct matrix *m, const struct leftover *l, struct outcome row[SECONDS])
{
	struct err err;

	for (size_t i = 0; i < SECONDS; i++) {
		struct matrix_socket second = second_at(i);

		if (!makes_sense(l->state, &l->first, &second))
			continue;
		row[i].result = leftover_second(l, &second, &err);
		row[i].reason = row[i].result == MATRIX_UNTESTED ? reason(m, err.text) : NULL;
	}
}

/* -1: made, but not alone there or not for long enough. */
static int try(struct matrix *m, const struct left *left, struct outcome row[SECONDS],
	       struct err *err)
{
	struct leftover l;
	int rc = leftover_make(&l, left->state, &left->socket, err);

	if (!rc) {
		bind_all(m, &l, row);
		rc = sight_check(l.port, l.state, err);
	}
	/* A system that keeps one keeps them all: net.ipv4.tcp_rfc1337. */
	m->left_behind += leftover_end(&l, m->left_behind ? 0 : PATIENCE_MS);
	return rc;
}

static void experiment(struct matrix *m, const struct left *left, struct outcome row[SECONDS])
{
	int64_t begun = clock_monotonic_ms();
	struct err err = { 0 };
	int rc = -1;

	for (int i = 0; i < ATTEMPTS && rc && (!i || err.code == EADDRINUSE); i++)
		rc = try(m, left, row, &err);
	if (!rc)
		return;
	all_untested(m, row, err.text);
	m->in_vain += clock_monotonic_ms() - begun;
}

struct matrix *matrix_run(matrix_progress *progress, void *ctx)
{
	struct matrix *m = MEM_NEW(struct matrix);
	bool on = true;

	for (size_t i = 0; i < LEFT; i++) {
		struct left left = left_at(i);

		if (!makes_sense(left.state, &left.socket, &left.socket))
			continue;
		on = on && progress(left.state, &left.socket, i, LEFT, ctx);
		if (on && m->in_vain < VAIN_MS)
			experiment(m, &left, m->outcomes[i]);
		else
			all_untested(m, m->outcomes[i], "too much was waited for in vain");
	}
	return m;
}

void matrix_free(struct matrix *m)
{
	if (!m)
		return;
	text_list_fini(&m->reasons);
	free(m);
}

size_t matrix_left_behind(const struct matrix *m)
{
	return m->left_behind;
}

/* Mixed digits, the last turning fastest. */
static struct matrix_cell cell_at(size_t i)
{
	struct matrix_cell c;

	c.second.options = (unsigned)(i % MATRIX_OPTION_SETS);
	i /= MATRIX_OPTION_SETS;
	c.first.options = (unsigned)(i % MATRIX_OPTION_SETS);
	i /= MATRIX_OPTION_SETS;
	c.state = (enum matrix_state)(i % MATRIX_STATES);
	i /= MATRIX_STATES;
	c.second.address = (enum matrix_address)(i % MATRIX_ADDRESSES);
	i /= MATRIX_ADDRESSES;
	c.first.address = (enum matrix_address)(i % FIRSTS);
	i /= FIRSTS;
	c.second.kind = (enum matrix_kind)(i % MATRIX_KINDS);
	c.first.kind = (enum matrix_kind)(i / MATRIX_KINDS);
	return c;
}

bool matrix_next(const struct matrix *m, size_t *at, struct matrix_cell *ret)
{
	while (*at < (size_t)LEFT * SECONDS) {
		struct matrix_cell c = cell_at((*at)++);
		const struct outcome *o;

		if (!makes_sense(c.state, &c.first, &c.second))
			continue;
		o = &m->outcomes[left_index(c.state, &c.first)][second_index(&c.second)];
		c.result = o->result;
		c.reason = o->reason;
		*ret = c;
		return true;
	}
	return false;
}
