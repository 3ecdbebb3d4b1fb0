/* Keeper and manager were killed at once: what they held is taken back out of the
 * workers that live.
 *
 * RUNTIME_DIR/state tells which those are, by pid, start time and boot, and what they
 * had, by inode.  What is found is put into custody as if a keeper had given it; then
 * it is ordinary recovery.  What cannot be taken is named, with the reason.  A state of
 * another boot, or of which nothing lives, is none. */
#ifndef HOLDPORT_SUPERVISOR_SALVAGE_H
#define HOLDPORT_SUPERVISOR_SALVAGE_H

#include <stdbool.h>

struct supervisor;

/* The lock of the directory is ours.  True: s->settings and the counters are those of
 * the supervisor that was. */
bool salvage(struct supervisor *s, const char *dir);

#endif
