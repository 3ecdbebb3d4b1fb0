/* Waiting for an address: the gate of the store, without the store. */
#include <errno.h>
#include <string.h>

#include "base/owner.h"
#include "socket/gate.h"
#include "socket/trial.h"

#define FOREVER_MS  (INT64_C(1000) * 86400 * 3650)
#define AFTERMATH_MS 1000	/* until what a reset has ended is gone */

struct waiting {
	struct wait_for *spec;
	struct err *err;
	struct loop *loop;
	struct gate gate;
	struct loop_timer show, aftermath;
	struct trial trial;
	bool over;
	enum waited outcome;
};

/* The first outcome is the one: more may happen in the same turn. */
static void finish(struct waiting *w, enum waited outcome)
{
	if (!w->over)
		w->outcome = outcome;
	w->over = true;
	loop_stop(w->loop);
}

static int64_t patience(const struct wait_for *s)
{
	return s->timeout >= 0 ? s->timeout : s->reset ? 0 : FOREVER_MS;
}

static void fail(struct waiting *w, enum waited outcome)
{
	struct str text = { 0 };

	if (w->over)
		return;
	trial_text(&w->trial, &text);
	(void)err_set(w->err, w->trial.facts.why, "%s", str_text(&text));
	str_fini(&text);
	finish(w, outcome);
}

/* What may pass with time. */
static bool is_worth_it(int why)
{
	return why == EADDRINUSE || why == EADDRNOTAVAIL || why == ENOENT || why == ENOBUFS ||
	       why == EMFILE || why == ENFILE || why == ENOMEM;
}

static void show(struct waiting *w)
{
	if (w->spec->show)
		w->spec->show(&w->trial, w->spec->ctx);
}

static void go(struct gate *g)
{
	struct waiting *w = OWNER(g, struct waiting, gate);
	struct attempt a = trial_try(&w->spec->key);
	bool news;

	if (!a.why) {
		finish(w, WAITED_FREE);
		return;
	}
	if (!is_worth_it(a.why)) {
		trial_judge(&a, &w->trial);
		fail(w, a.why == EACCES || a.why == EPERM ? WAITED_FORBIDDEN : WAITED_FAILED);
		return;
	}
	/* Which looks when that is worth a look. */
	news = gate_shut(&w->gate, &a, patience(w->spec));
	w->trial.facts = w->gate.view->facts;
	w->trial.judgement = w->gate.view->judgement;
	if (news && !w->spec->show_every)
		show(w);
}

static void on_show(struct loop_timer *t)
{
	struct waiting *w = OWNER(t, struct waiting, show);

	trial_make(&w->spec->key, &w->trial);
	if (w->trial.judgement.answer == CAN_BIND) {
		finish(w, WAITED_FREE);
		return;
	}
	show(w);
	loop_timer_start(w->loop, &w->show, w->spec->show_every, on_show);
}

static void on_aftermath(struct loop_timer *t)
{
	fail(OWNER(t, struct waiting, aftermath), WAITED_TIMEOUT);
}

static void late(struct gate *g)
{
	struct waiting *w = OWNER(g, struct waiting, gate);
	int ended;

	if (!w->spec->reset) {
		fail(w, WAITED_TIMEOUT);
		return;
	}
	ended = gate_reset(g, w->spec->served, w->err);
	if (ended < 0) {
		finish(w, w->err->code == EPERM ? WAITED_FORBIDDEN : WAITED_TIMEOUT);
		return;
	}
	w->spec->ended = ended;
	loop_timer_start(w->loop, &w->aftermath, AFTERMATH_MS, on_aftermath);
	go(g);
}

enum waited trial_wait(struct wait_for *spec, struct err *err)
{
	struct waiting w = { .spec = spec, .err = err, .outcome = WAITED_FAILED,
			     .trial.key = spec->key };

	if (!(w.loop = loop_new(err)))
		return WAITED_FAILED;
	gate_init(&w.gate, w.loop, &spec->key, go, late);
	if (spec->show_every)
		loop_timer_start(w.loop, &w.show, 0, on_show);
	gate_try(&w.gate);
	loop_run(w.loop);
	gate_open(&w.gate);
	loop_timer_stop(&w.show);
	loop_timer_stop(&w.aftermath);
	loop_free(w.loop);
	return w.outcome;
}
