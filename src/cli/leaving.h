/* Workers on their way out and the connections that they have left, as events tell
 * (io.holdport.varlink, type Event). */
#ifndef HOLDPORT_CLI_LEAVING_H
#define HOLDPORT_CLI_LEAVING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct leaving {
	json_t *workers;	/* by "web/3/0": connections, and until when (monotonic ms) */
};

void leaving_event(struct leaving *l, const json_t *event, int64_t now_ms);
bool leaving_any(const struct leaving *l, const char *program);
/* ", 12 connections left, 24s at most": of all workers of a program; or nothing. */
void leaving_add(const struct leaving *l, const char *program, int64_t now_ms, struct str *out);
void leaving_fini(struct leaving *l);

/* "web/3/0: draining, 12 connections left, 24s at most"; false: it tells no number. */
bool leaving_sentence(const json_t *event, struct str *out);

#endif
