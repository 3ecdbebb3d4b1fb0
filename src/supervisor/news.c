/* One place from which everything that happens is told: to the log, to whoever
 * listens for events, and to the programs that a socket concerns. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/supervisor.h"

static void log_news(const struct news *n)
{
	const char *then = n->text ? ": " : "", *text = n->text ? n->text : "";

	if (n->worker >= 0)
		log_debug("%s/%u/%d: worker %ld %s%s%s", n->program, n->generation, n->worker,
			  (long)n->pid, n->state, then, text);
	else if (n->generation)
		log_info("%s/%u: generation %s%s%s", n->program, n->generation, n->state, then,
			 text);
	else if (n->text && n->state[0] == 'r')
		log_notice("%s: %s", n->program, n->state);	/* why was said before */
	else
		log_notice("%s: %s%s%s", n->program, n->state, then, text);
}

void supervisor_news(const struct news *n, void *ctx)
{
	struct supervisor *s = ctx;

	log_news(n);
	events_add(&s->control.events, n, n->program);
	memory_of_event(s);
	if (strcmp(n->what, "program") == 0)
		supervisor_serve(s, n->state);
	if (strcmp(n->what, "generation") == 0 &&
	    strcmp(n->state, generation_state_word(GENERATION_GONE)) == 0) {
		supervisor_sweep(s, n);
		supervisor_look_for_strangers(s);
	}
	supervisor_look_around(s);
}

void supervisor_program_gone(struct rollout *r, const char *name, void *ctx)
{
	struct supervisor *s = ctx;
	struct news n = { .what = "program", .state = "removed", .program = name, .worker = -1 };

	(void)r;
	supervisor_news(&n, s);
	memory_of_program_gone(s, name);
}

/* Why it waits, and until when where that is known. */
static void add_wait(const struct held *h, struct str *ret)
{
	struct str when = { 0 };

	gate_when(&h->gate, &when);
	str_addf(ret, "%s%s%s", h->reason, when.length ? "; " : "", str_text(&when));
	str_fini(&when);
}

void supervisor_closing(struct held *h, void *ctx)
{
	memory_of_closing(ctx, h);
}

void supervisor_socket(struct held *h, void *ctx)
{
	struct supervisor *s = ctx;
	char address[ADDRESS_TEXT_SIZE], slot[24] = "";
	struct news n = { .what = "socket", .state = held_state_word(h->state), .worker = -1 };
	struct str text = { 0 };

	address_text(&h->key.address, address);
	if (h->group)
		(void)snprintf(slot, sizeof(slot), " slot %d", h->key.slot);
	if (held_awaits_worker(h)) {
		n.text = h->reason;
		log_info("socket %s: %s is left to a worker to bind", h->settings->name, address);
	} else if (h->state == HELD_WAITING) {
		add_wait(h, &text);
		n.text = str_text(&text);
		log_line(h->gate.over ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			 "socket %s: %s%s waits: %s", h->settings->name, address, slot, n.text);
	} else {
		log_info("socket %s: %s%s %s", h->settings->name, address, slot, n.state);
	}
	memory_of_socket(s, h);
	events_add(&s->control.events, &n, h->settings->name);
	memory_of_event(s);
	str_fini(&text);
	list_each(p, &s->rollout.programs, struct program, node)
		program_kick(p);
	supervisor_settle(s);
	supervisor_look_around(s);
}
