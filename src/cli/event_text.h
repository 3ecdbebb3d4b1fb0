/* An event (io.holdport.varlink, type Event) for a person's eyes. */
#ifndef HOLDPORT_CLI_EVENT_TEXT_H
#define HOLDPORT_CLI_EVENT_TEXT_H

#include <jansson.h>

#include "base/str.h"

/* "web: generation 4 proving" */
void event_sentence(const json_t *event, struct str *out);
/* "2026-11-22T10:43:00Z  generation  web/4    proving", for `holdport events` */
void event_row(const json_t *event, struct str *out);

#endif
