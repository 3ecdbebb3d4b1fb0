#include "socket/store.h"

const char *origin_word(enum origin o)
{
	static const char *const words[] = {
		[ORIGIN_BOUND] = "bound",
		[ORIGIN_INHERITED] = "inherited",
		[ORIGIN_RECOVERED] = "recovered",
		[ORIGIN_ADOPTED] = "adopted",
	};

	return words[o];
}

void held_leave(struct held *h)
{
	h->leaving = true;
}

void held_return(struct held *h)
{
	h->leaving = false;
	h->number = ++h->store->last_number;
}

void held_ref(struct held *h)
{
	h->references++;
}

void held_unref(struct held *h)
{
	if (--h->references == 0)
		held_close(h);
}

bool held_may_wait(const struct held *h)
{
	if (h->settings->when_busy == BUSY_RESET)
		return gate_can_reset(&h->gate);
	return h->settings->when_busy == BUSY_WAIT;
}
