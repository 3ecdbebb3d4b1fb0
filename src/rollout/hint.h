/* What betrays that a worker does not serve the sockets it was given, in words
 * that help.  A guess: nothing depends on it. */
#ifndef HOLDPORT_ROLLOUT_HINT_H
#define HOLDPORT_ROLLOUT_HINT_H

#include "rollout/member.h"

/* It was proved by nothing but that it lives.  Logs once a program. */
void hint_at_wrapper(struct member *m);
/* Its last lines, of one that has ended: adds to text what they suggest. */
void hint_at_binding(const struct member *m, const struct text_list *lines, struct str *text);

#endif
