#include "health/checkup.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/owner.h"

static void on_next(struct loop_timer *t);

static void end_question(struct checkup *c)
{
	loop_timer_stop(&c->timer);
	probe_stop(&c->probe);
	trial_stop(c->trial);
	c->trial = NULL;
}

static void answer(struct checkup *c, const char *why)
{
	char *text = why ? mem_text(why) : NULL;

	end_question(c);
	c->unasked = false;
	loop_timer_start(c->loop, &c->timer, c->interval, on_next);
	c->owner->answered(c, text);
	free(text);
}

static void pass_over(struct checkup *c, const char *why)
{
	bool told = c->unasked;

	end_question(c);
	c->unasked = true;
	loop_timer_start(c->loop, &c->timer, c->interval, on_next);
	if (!told)
		c->owner->unasked(c, why);
}

static void on_passed(struct trial *t)
{
	answer(t->spec.ctx, NULL);
}

static void on_failed(struct trial *t, const char *text)
{
	answer(t->spec.ctx, text);
}

static void on_accepted(struct probe *p)
{
	answer(OWNER(p, struct checkup, probe), NULL);
}

static void on_late(struct loop_timer *t)
{
	answer(OWNER(t, struct checkup, timer), "there was no answer in time (health_timeout)");
}

static struct trial_spec spec_of(struct checkup *c, const struct checkup_question *q)
{
	return (struct trial_spec){
		.loop = c->loop, .all = c->trials, .program = q->program, .passed = on_passed,
		.failed = on_failed, .ctx = c, .fds = TRIAL_NO_FDS,
	};
}

static int ask_tcp(struct checkup *c, struct checkup_question *q, struct err *err)
{
	(void)err;
	probe_start(&c->probe, c->loop, q->held, PROBE_ANYBODY, on_accepted);
	return 0;
}

static int ask_http(struct checkup *c, struct checkup_question *q, struct err *err)
{
	struct trial_spec spec = spec_of(c, q);

	c->trial = trial_ask(&spec, &q->target, -1, err);
	return c->trial ? 0 : -1;
}

static int ask_exec(struct checkup *c, struct checkup_question *q, struct err *err)
{
	struct trial_spec spec = spec_of(c, q);

	(void)err;
	c->trial = trial_start(&spec, &q->command);
	return 0;
}

static int ask_nothing(struct checkup *c, struct checkup_question *q, struct err *err)
{
	(void)c;
	(void)q;
	return err_set(err, 0, "nothing is asked");
}

/* One that was killed and does not end would be joined by another one each time. */
static bool is_still_there(const struct checkup *c)
{
	if (c->trials->next)
		list_each(t, c->trials, struct trial, node)
			if (t->stopped && t->spec.ctx == c)
				return true;
	return false;
}

static int ask(struct checkup *c, struct err *err)
{
	static int (*const ways[])(struct checkup *c, struct checkup_question *q,
				   struct err *err) = {
		[READY_AUTO] = ask_nothing,   [READY_NOTIFY] = ask_nothing,
		[READY_FD] = ask_nothing,     [READY_LISTEN] = ask_nothing,
		[READY_TCP] = ask_tcp,	      [READY_HTTP] = ask_http,
		[READY_EXEC] = ask_exec,      [READY_DELAY] = ask_nothing,
		[READY_NONE] = ask_nothing,
	};
	struct checkup_question q = { 0 };
	int rc;

	if (c->owner->question(c, &q, err) < 0)
		return -1;
	c->interval = q.program->health_interval;
	loop_timer_start(c->loop, &c->timer, q.program->health_timeout, on_late);
	rc = ways[q.program->health.how](c, &q, err);
	target_fini(&q.target);
	return rc;
}

static void on_next(struct loop_timer *t)
{
	struct checkup *c = OWNER(t, struct checkup, timer);
	struct err err;

	if (c->owner->waits(c))
		loop_timer_start(c->loop, &c->timer, c->interval, on_next);
	else if (is_still_there(c))
		answer(c, "the check before this one was killed, and has not ended");
	else if (ask(c, &err) < 0)
		pass_over(c, err.text);
}

void checkup_start(struct checkup *c, struct loop *loop, struct list *trials, int64_t interval,
		   const struct checkup_owner *owner)
{
	checkup_stop(c);
	*c = (struct checkup){ .loop = loop, .trials = trials, .owner = owner,
			       .interval = interval };
	loop_timer_start(loop, &c->timer, interval / 2 + rand() % (interval / 2 + 1), on_next);
}

void checkup_stop(struct checkup *c)
{
	if (!c->loop)
		return;
	end_question(c);
	c->loop = NULL;
}
