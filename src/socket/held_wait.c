/* What a held socket that cannot be bound says of it, and does at the deadline. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/str.h"
#include "socket/blocker.h"
#include "socket/held.h"
#include "socket/open.h"

int64_t held_patience(const struct held *h)
{
	return h->settings->when_busy == BUSY_FAIL ? 0 : h->settings->busy_timeout;
}

static bool blocked(int why)
{
	return why == EADDRINUSE || why == EACCES || why == EADDRNOTAVAIL;
}

static void set_reason(struct held *h, const struct err *err)
{
	const struct gate_view *seen = h->gate.view;
	char since[CLOCK_RFC3339_SIZE];
	struct str text = { 0 };

	if (blocked(err->code))
		blocker_text(&h->key, &seen->facts, &seen->judgement, &text);
	else
		str_add(&text, err->text);
	if (err->code == EADDRNOTAVAIL)
		str_addf(&text, " (since %s at least)", clock_rfc3339(h->gate.began, since));
	if (h->trouble)
		str_addf(&text, "; %s", h->trouble);
	free(h->reason);
	h->reason = str_take(&text);
}

/* True if the reason is another one than before. */
static bool shut(struct held *h, const struct err *err)
{
	const struct socket_settings *s = h->settings;
	struct attempt a = { .key = &h->key, .v6only = socket_v6only(&h->key, s),
			     .sharing = socket_shares(&h->key, s), .why = err->code };
	unsigned looks = h->gate.looks;
	bool news = gate_shut(&h->gate, &a, held_patience(h));

	h->why = err->code;
	if (!h->reason || looks != h->gate.looks)
		set_reason(h, err);
	return news;
}

void held_busy(struct held *h, const struct err *why)
{
	held_move(h, HELD_EV_BUSY, shut(h, why));
}

/* Ends what is left, or says why that is no way. */
static bool reset(struct held *h)
{
	char text[ADDRESS_TEXT_SIZE];
	struct err err = { 0 };
	int ended = gate_reset(&h->gate, false, &err);

	if (ended < 0)
		h->trouble = mem_format("a reset is no way: %s", err.text);
	else
		log_warning("socket %s: %s: ended %d connection%s of an earlier listener, which "
			    "nobody served", h->settings->name,
			    address_text(&h->key.address, text), ended, ended == 1 ? "" : "s");
	return ended >= 0;
}

/* The patience is over: a fault, and tried on all the same. */
void held_late(struct gate *g)
{
	struct held *h = OWNER(g, struct held, gate);
	char text[CLOCK_DURATION_SIZE];
	struct err err = { .code = h->why };

	free(h->trouble);
	h->trouble = NULL;
	if (h->settings->when_busy == BUSY_RESET && reset(h)) {
		held_try(h);
		return;
	}
	if (!h->trouble && h->settings->when_busy == BUSY_WAIT)
		h->trouble = mem_format("this takes longer than busy_timeout (%s)",
					clock_duration(held_patience(h), text));
	if (blocked(h->why))
		set_reason(h, &err);
	held_move(h, HELD_EV_BUSY, true);
}

bool held_may_wait(const struct held *h)
{
	if (h->settings->when_busy == BUSY_RESET)
		return gate_can_reset(&h->gate);
	return h->settings->when_busy == BUSY_WAIT;
}
