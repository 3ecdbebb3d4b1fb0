/* The manager's end of the channel to its keeper. */
#ifndef HOLDPORT_KEEPER_LINK_H
#define HOLDPORT_KEEPER_LINK_H

#include <sys/types.h>

#include "keeper/channel.h"
#include "loop/loop.h"

struct keeper_link {
	int fd;				/* -1: there is no keeper */
	pid_t keeper;			/* 0: none */
	struct loop_io io;
	/* What came when nobody could hear it, before the first turn or while we waited to
	 * be heard ourselves: it is heard at the end of the turn. */
	struct channel_message *put_off;
	size_t put_off_count;
	struct loop_later catch_up;
	/* One message; fd may be taken. */
	void (*heard)(struct keeper_link *l, const struct channel_message *m, int *fd);
	void (*lost)(struct keeper_link *l);	/* it is gone */
};

/* fd: as it was handed to us by our parent, the keeper; the link owns it. */
void link_init(struct keeper_link *l, int fd);
/* For later.  It came without a descriptor. */
void link_put_off(struct keeper_link *l, const struct channel_message *m);
/* Sets who is told first. */
void link_start(struct keeper_link *l, struct loop *loop);
void link_stop(struct keeper_link *l);	/* the channel stays open */
void link_close(struct keeper_link *l);
/* Nothing without a keeper; then -1.  Where that does not read, as it waits for us to, what
 * it says is put off: many words at once, and an answer to each, are no deadlock. */
int link_say(struct keeper_link *l, enum channel_word word, int64_t number, const char *text,
	      int pass);
void link_foster(struct keeper_link *l, struct channel_pids *p);	/* empties it */
/* Whom the world sees: the keeper, or us. */
pid_t link_face(const struct keeper_link *l);

#endif
