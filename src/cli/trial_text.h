/* What is known of an address that somebody wants to bind, as text and as JSON. */
#ifndef HOLDPORT_CLI_TRIAL_TEXT_H
#define HOLDPORT_CLI_TRIAL_TEXT_H

#include <jansson.h>

#include "cli/cli.h"
#include "socket/trial.h"

/* The address and the type that a command line names; 0, or an exit code and what is
 * wrong was said. */
int trial_request(const struct request *r, struct key *ret);

json_t *trial_json(const struct trial *t);
/* Sentences, a line each: what it is, when it ends, what helps. */
void trial_lines(const struct trial *t, struct str *out);
/* "*:80: 3 in FIN_WAIT_2, 1 in TIME_WAIT; free in 3 to 66 s". */
void trial_line(const struct trial *t, struct str *out);

#endif
