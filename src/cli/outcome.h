/* How a change ended, as the supervisor tells it (types Outcome and Step). */
#ifndef HOLDPORT_CLI_OUTCOME_H
#define HOLDPORT_CLI_OUTCOME_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"

bool outcomes_ok(const json_t *results);
/* "web: generation 4 is running", or "web: FAILED: …" with its last lines below. */
void outcomes_print(const json_t *results, bool color, struct str *out);
/* "restart  program  web  workers", aligned; "nothing to do" */
void plan_print(const json_t *plan, bool color, struct str *out);

#endif
