/* The answer to Status for a person's eyes: who supervises, a table of programs
 * with their workers below them, a table of sockets. */
#ifndef HOLDPORT_CLI_STATUS_TEXT_H
#define HOLDPORT_CLI_STATUS_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

#include "base/str.h"

void status_text(const json_t *status, time_t now, bool color, struct str *out);
/* What `holdport status` exits with. */
int status_outcome(const json_t *status);

struct table;
/* "3/511": connections that wait in a socket's queue, and how many may. */
void queue_cell(struct table *t, const json_t *socket);
void socket_cell(struct table *t, const json_t *sockets, size_t i);

/* Why it waits, and when it will be free: "…; free in 3 to 66s". */
void str_add_reason(struct str *note, const json_t *socket);

#define AGE_SIZE 48
/* "42s", "3m10s", "5h2m", "12d4h" since an RFC 3339 time in UTC; "" if it is none. */
const char *age_text(const char *since, time_t now, char buf[AGE_SIZE]);

#endif
