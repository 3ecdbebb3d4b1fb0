/* What happened, numbered: the last EVENTS_KEPT, and whoever listens.
 *
 * An event is kept as the JSON text that goes over the wire
 * (include/holdport/io.holdport.varlink, type Event). */
#ifndef HOLDPORT_CONTROL_EVENTS_H
#define HOLDPORT_CONTROL_EVENTS_H

#include <stdint.h>

#include "base/list.h"
#include "rollout/rollout.h"

enum { EVENTS_KEPT = 1000 };

struct event_listener {
	struct list node;
	/* program: NULL when the event is not about one.  All borrowed. */
	void (*on)(struct event_listener *l, const char *program, const char *json);
};

struct events {
	char *kept[EVENTS_KEPT];	/* by sequence number, modulo */
	uint64_t next;			/* the number of the next one; the first is 1 */
	struct list listeners;
};

void events_init(struct events *e);
void events_fini(struct events *e);
/* name: n->program, or the name of a socket where n->program is NULL. */
void events_add(struct events *e, const struct news *n, const char *name);
/* One of an earlier manager, with its number; takes json. */
void events_put(struct events *e, uint64_t number, char *json);
/* The first number after `since` that is still kept; e->next when none is. */
uint64_t events_first_after(const struct events *e, uint64_t since);
const char *events_at(const struct events *e, uint64_t number);
void events_listen(struct events *e, struct event_listener *l);
void events_leave(struct event_listener *l);	/* harmless when it does not listen */

#endif
