/* Connections of workers, counted because somebody asks for them. */
#ifndef HOLDPORT_CONTROL_COUNT_H
#define HOLDPORT_CONTROL_COUNT_H

#include <jansson.h>

#include "control/control.h"

/* Workers that are asked about, all by one look.  Starts as all zeroes. */
struct counting {
	struct counted *items;
	const struct member **members;	/* of each item */
	size_t count;
	int rc;				/* of the look; -1: this system cannot tell */
};

void counting_add(struct counting *c, const struct program *p);
/* The loop stands still meanwhile: so only if what was counted of one of them is
 * too old.  Each member's drain.count says what came of it. */
void counting_refresh(struct counting *c, struct control *control);
/* In any case, and by socket. */
void counting_by_socket(struct counting *c, struct control *control);
/* "workers" of a socket (type Share); null: this system cannot tell. */
json_t *counting_json(const struct counting *c, const struct held *h);
void counting_fini(struct counting *c);

#endif
