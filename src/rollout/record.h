/* A program as a successor has to know it: written and read here, as one block of
 * facts (keeper/snapshot.h).
 *
 * To add a fact: write it in record.c, read it in revive.c with the value that it has
 * where it is not said, for older states do not say it; unit.rollout_record tells
 * whether both are there. */
#ifndef HOLDPORT_ROLLOUT_RECORD_H
#define HOLDPORT_ROLLOUT_RECORD_H

#include "keeper/snapshot.h"
#include "rollout/program.h"

/* Numbers for settings, and back. */
struct record_settings {
	unsigned (*number)(struct settings *s, void *ctx);
	struct settings *(*find)(int64_t number, void *ctx);	/* NULL: not to be had */
	void *ctx;
};

/* One that has a number in custody. */
void held_record(const struct held *h, const struct record_settings *settings, struct str *out);
/* Of a group (socket/group.h), a slot behind the leader; all of them before the leaders.
 * Takes *fd; -1: it is none, or its settings are not to be had. */
int slot_revive(struct store *s, const struct fact *f, const struct record_settings *settings,
		int *fd);
/* Takes *fd.  NULL: its settings are not to be had; *fd is left. */
struct held *held_revive(struct store *s, const struct fact *f,
			 const struct record_settings *settings, int *fd);
void program_record(struct program *p, const struct record_settings *settings, struct str *out);
/* Its workers may go on: what was recorded of them is written. */
void program_release(struct program *p);
/* The program is in the rollout, its workers are watched, its timers run; its sockets
 * must be in the store.  -1: its settings are not to be had; nothing was done. */
int program_revive(struct rollout *r, const struct snapshot_block *b,
		   const struct record_settings *settings, struct err *err);
/* What is known of workers at one moment only: half a line, when one was heard of.  Not
 * for whoever follows a manager that died: that one had read on since. */
void moments_record(const struct rollout *r, struct str *out);
/* After all programs.  at_once: nobody has listened since. */
void moment_revive(const struct rollout *r, const struct fact *f, bool at_once);

#endif
