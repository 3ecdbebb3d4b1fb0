/* One held socket, as the files that move it see it; whoever only uses it has store.h. */
#ifndef HOLDPORT_SOCKET_HELD_H
#define HOLDPORT_SOCKET_HELD_H

#include "base/err.h"
#include "socket/store.h"

/* The one gate.  Whoever is told may let go of the socket: nothing of it is
 * touched afterwards. */
void held_move(struct held *h, enum held_event event, bool news);
/* Binds it, or held_busy(). */
void held_try(struct held *h);
/* It cannot be bound, or what is held is no use any more: it waits, and says why. */
void held_busy(struct held *h, const struct err *why);

/* A listener that is shut down again and again is healed at this pace. */
#define HEAL_PAUSE_MS 100

/* The socket is there: what hangs it up wakes us from now on. */
void held_watch(struct held *h);
void held_watch_again(struct held *h);
void held_heal(struct held *h);
void held_forget_reason(struct held *h);

/* How long it waits before when_busy has its say, ms. */
int64_t held_patience(const struct held *h);
void held_late(struct gate *g);		/* that is over */

/* Keeps their whole alive, in place of that of the settings before. */
void held_take_settings(struct held *h, const struct socket_settings *settings);

/* What was given to us for this key, or NULL. */
struct given *store_given(struct store *s, const struct key *key);
void store_forget_given(struct given *g);	/* and closes it */

#endif
