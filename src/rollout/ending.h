/* What the end of a worker means, by restart, success_exit_codes and start.  Decides;
 * touches nothing. */
#ifndef HOLDPORT_ROLLOUT_ENDING_H
#define HOLDPORT_ROLLOUT_ENDING_H

#include "rollout/generation.h"

/* One that was given up does not do well by ending when it was told to. */
bool ending_is_well(const struct program_settings *s, const struct worker *w);
/* Its place stays empty. */
bool ending_is_final(const struct generation *g, const struct worker *w);

#endif
