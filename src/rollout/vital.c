#include "rollout/vital.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "rollout/goback.h"
#include "rollout/renewal.h"

/* By what stands in the file: what it comes to is known later. */
static bool is_own(const struct ready *health)
{
	const char *word = health->words.count ? health->words.items[0] : "";

	return health->how == READY_EXEC ||
	       (health->how == READY_HTTP && target_is_own(word) &&
		(strstr(word, "${slot}") || strstr(word, "${worker}")));
}

static bool member_waits(const struct checkup *c)
{
	return OWNER(c, const struct member, checkup)->generation->program->rollout->hush;
}

/* Where nobody serves, nobody is not well. */
static bool program_waits(const struct checkup *c)
{
	const struct program *p = OWNER(c, const struct program, checkup);

	return p->rollout->hush || !program_ready_workers(p);
}

static int member_question(struct checkup *c, struct checkup_question *ret, struct err *err)
{
	struct member *m = OWNER(c, struct member, checkup);
	struct launch_spec spec = member_spec(m, m->generation->means);

	ret->program = spec.program;
	if (spec.program->health.how == READY_EXEC)
		return member_command(m, &spec, &spec.program->health, &ret->command, err);
	return member_target(&spec, &spec.program->health, &ret->target, err);
}

static struct held *first_tcp(const struct means *m)
{
	for (size_t i = 0; i < m->held_count; i++)
		if (m->held[i]->key.type == SOCK_STREAM &&
		    address_port(&m->held[i]->key.address) >= 0)
			return m->held[i];
	return NULL;
}

static int program_question(struct checkup *c, struct checkup_question *ret, struct err *err)
{
	struct program *p = OWNER(c, struct program, checkup);
	const struct means *m = p->current->means;
	struct launch_spec spec = { .program = m->program, .held = m->held,
				    .held_count = m->held_count,
				    .generation = p->current->number };

	ret->program = m->program;
	if (m->program->health.how == READY_HTTP)
		return member_target(&spec, &spec.program->health, &ret->target, err);
	ret->held = first_tcp(m);
	return ret->held ? 0 : err_set(err, 0, "it has no TCP socket");
}

static char *times(const char *why, unsigned failed)
{
	return failed == 1 ? mem_format("is not well: %s", why)
			   : mem_format("is not well, for the %u. time: %s", failed, why);
}

static void note_error(struct program *p, char *text)
{
	free(p->last_error);
	p->last_error = text;
	program_touch(p);
}

static void tell_sick(struct member *m, const char *why)
{
	char *text = times(why, m->vitals.failed);

	log_warning("%s: worker %ld %s", m->name, (long)m->worker.pid, text);
	program_news_worker(m->generation->program, m, text);
	note_error(m->generation->program, mem_format("worker %u (pid %ld) %s", m->index,
						      (long)m->worker.pid, text));
	free(text);
}

/* What follows depends on how its generation stands. */
static void be_sick(struct member *m)
{
	struct generation *g = m->generation;

	if (g == g->program->next)
		generation_doubted(g, mem_text(g->program->last_error));
	else
		goback_sick(g, g->program->last_error);
	renewal_wanted(m, RENEW_HEALTH);
}

static void member_answered(struct checkup *c, const char *why)
{
	struct member *m = OWNER(c, struct member, checkup);
	const struct program_settings *s = m->generation->means->program;
	bool counted = m->vitals.failed;

	switch (vitals_note(&m->vitals, !why, s->health_failures)) {
	case VITALS_SICK:
		tell_sick(m, why);
		be_sick(m);
		break;
	case VITALS_WELL:
		log_notice("%s: worker %ld is well again", m->name, (long)m->worker.pid);
		program_news_worker(m->generation->program, m, "is well again");
		renewal_needless(m, RENEW_HEALTH);
		break;
	case VITALS_NO_NEWS:
	default:
		break;
	}
	if (counted || why)
		program_touch(m->generation->program);
}

static void tell_program(struct program *p, const char *text)
{
	log_notice("%s: %s", p->name, text);
	program_tell(p, text);
}

/* Nobody knows who answered; but the next one is not the same one. */
static void send_longest(struct program *p)
{
	struct member *longest = NULL;

	list_each(m, &p->current->members, struct member, node)
		if (m->seat && m->worker.state == WORKER_SERVING && !m->renew &&
		    (!longest || m->serves_since < longest->serves_since))
			longest = m;
	if (longest)
		renewal_wanted(longest, RENEW_HEALTH);
}

static void program_answered(struct checkup *c, const char *why)
{
	struct program *p = OWNER(c, struct program, checkup);
	const struct program_settings *s = p->current->means->program;
	bool counted = p->vitals.failed;
	char *text;

	switch (vitals_note(&p->vitals, !why, s->health_failures)) {
	case VITALS_SICK:
		text = times(why, p->vitals.failed);
		tell_program(p, text);
		note_error(p, text);
		goback_sick(p->current, p->last_error);
		send_longest(p);
		break;
	case VITALS_WELL:
		tell_program(p, "is well again");
		list_each(m, &p->current->members, struct member, node)
			renewal_needless(m, RENEW_HEALTH);
		break;
	case VITALS_NO_NEWS:
	default:
		break;
	}
	if (counted || why)
		program_touch(p);
}

static void member_unasked(struct checkup *c, const char *why)
{
	log_error("%s: health cannot be asked for: %s", OWNER(c, struct member, checkup)->name, why);
}

static void program_unasked(struct checkup *c, const char *why)
{
	log_error("%s: health cannot be asked for: %s", OWNER(c, struct program, checkup)->name,
		  why);
}

void vital_watch(struct member *m)
{
	static const struct checkup_owner owner = { member_question, member_answered,
						    member_unasked, member_waits };
	const struct program_settings *s = m->generation->means->program;
	struct rollout *r = m->generation->program->rollout;

	vital_stop(m);
	if (is_own(&s->health))
		checkup_start(&m->checkup, r->loop, &r->trials, s->health_interval, &owner);
}

void vital_stop(struct member *m)
{
	checkup_stop(&m->checkup);
}

void vital_watch_program(struct program *p)
{
	static const struct checkup_owner owner = { program_question, program_answered,
						    program_unasked, program_waits };
	const struct program_settings *s = p->current ? p->current->means->program : NULL;
	struct rollout *r = p->rollout;

	checkup_stop(&p->checkup);
	if (s && s->health.how != READY_NONE && !is_own(&s->health))
		checkup_start(&p->checkup, r->loop, &r->trials, s->health_interval, &owner);
}
