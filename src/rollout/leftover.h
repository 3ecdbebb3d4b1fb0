/* What is left of an intercepted worker that is gone.
 *
 * Its filter is still theirs, and nobody may take it off: while nobody listens, a call
 * would wait for ever.  So it goes on as if nobody looked, unless it is for an address
 * that is held; with the next manager too. */
#ifndef HOLDPORT_ROLLOUT_LEFTOVER_H
#define HOLDPORT_ROLLOUT_LEFTOVER_H

struct rollout;
struct member;

/* It is gone: takes over its listener, where somebody is left who has that filter. */
void leftover_of(struct member *m);
/* Those of an earlier manager, after everybody else has claimed his. */
void leftovers_revive(struct rollout *r);
/* After all members: nobody's calls are waited for any more. */
void leftovers_end(struct rollout *r);

#endif
