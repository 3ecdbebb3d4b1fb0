/* The parts of program_step(); inside rollout/ only. */
#ifndef HOLDPORT_ROLLOUT_STEP_H
#define HOLDPORT_ROLLOUT_STEP_H

#include "rollout/program.h"

/* Opens and closes seats towards the generation that is wanted.  True when every
 * wanted seat of it is proved; a next one has become current then. */
bool step_converge(struct program *p);
/* What the current generation means for state, for scale, for the end. */
void step_judge(struct program *p, bool complete);
/* A worker of the current generation ended badly and for good. */
bool step_gave_up_a_seat(const struct program *p);
/* Generations of which nothing is left go. */
void step_bury_empty(struct program *p);
/* In the status, and in the events if it is news. */
void step_note_waiting(struct program *p, const char *missing);
void step_retire_others(struct program *p, const struct generation *but);
/* By restart = …, or by start_attempts. */
void step_end_for_good(struct program *p, bool well);

#endif
