/* What long work waits for: on a terminal one line that is rewritten, elsewhere
 * a line for each event that matters.  All of it on standard error. */
#ifndef HOLDPORT_CLI_PROGRESS_H
#define HOLDPORT_CLI_PROGRESS_H

#include "cli/leaving.h"
#include "cli/session.h"

struct progress {
	bool quiet;			/* nobody looks */
	bool live;			/* a terminal */
	bool stale;			/* something happened since it was drawn */
	int64_t begun, drawn;		/* monotonic ms */
	const struct session *session;
	struct client client;		/* a connection of its own, for Status; live only */
	json_t *programs;		/* as last heard; owned */
	struct leaving leaving;
	struct str line;		/* as it stands on the terminal */
};

void progress_begin(struct progress *p, const struct session *s);
void progress_event(struct progress *p, const json_t *event);
void progress_tick(struct progress *p);
void progress_wipe(struct progress *p);		/* before anything else is printed */
void progress_end(struct progress *p);

/* To what fits into a line of the terminal. */
void progress_cut(struct str *line);

/* "web: generation 4 proving, 1/2 ready; api: stopping, 1 worker left, 12 connections
 * left, 24s at most…  3s": what is not settled among programs (type Program). */
void progress_line(const json_t *programs, const struct leaving *leaving, int64_t begun_ms,
		   int64_t now_ms, struct str *out);

#endif
