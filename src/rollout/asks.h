/* Who waits for a program, and telling them; inside rollout/ only. */
#ifndef HOLDPORT_ROLLOUT_ASKS_H
#define HOLDPORT_ROLLOUT_ASKS_H

#include "rollout/program.h"

#define ASK_ALL ((enum ask_kind)-1)

void ask_put(struct program *p, struct ask *a, enum ask_kind kind, unsigned ticket);
/* At once, without having been put; accepts NULL. */
void ask_tell(struct ask *a, bool ok, const char *text, const struct text_list *lines);
void asks_settle(struct program *p, enum ask_kind kind, bool ok, const char *text,
		 const struct text_list *lines);
/* Those of ASK_UP whose ticket is not beyond the wish. */
void asks_settle_wish(struct program *p, unsigned wish, bool ok, const char *text,
		      const struct text_list *lines);

#endif
