/* The process that the world sees, and that outlives the manager.
 *
 * It is started as `holdportd run …`, starts a manager from its own image, held
 * open, with the same words, and ends as that ends.  Meanwhile it passes signals
 * down and notifications up, and takes the orphans that come to it.  It reads no
 * environment, and nothing that a client or a worker wrote.
 *
 * If it is killed, its manager becomes the keeper, by exec(2) under its own pid
 * (supervisor/heir.h): the children of that manager are the keeper's then. */
#ifndef HOLDPORT_KEEPER_KEEPER_H
#define HOLDPORT_KEEPER_KEEPER_H

struct keeper_start {
	char *path;		/* of our executable, as we were started */
	char **words;		/* what a manager is to do: run -c FILE */
	const char *above;	/* NOTIFY_SOCKET, or NULL */
	int left;		/* the file that the image before ours left in this process, a
				 * keeper's or a manager's (onward.h); -1: this is the first one */
};

/* The exit code. */
int keeper_run(const struct keeper_start *start);

/* The word in front of the channel's number and of our own words, in a manager's
 * argv: holdportd manage 5 run -c FILE; and in front of that of the file. */
#define KEEPER_MANAGE "manage"
#define KEEPER_KEEP   "keep"
/* The same, of one that a manager goes on as: the keeper is asked for what it holds. */
#define KEEPER_SUCCEED "succeed"

#endif
