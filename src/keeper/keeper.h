/* The process that the world sees, and that outlives the manager.
 *
 * It is started as `holdportd run …`, starts a manager from its own image, held
 * open, with the same words, and ends as that ends.  Meanwhile it passes signals
 * down and notifications up, and takes the orphans that come to it.  It reads no
 * file, no environment, and nothing that a client or a worker wrote. */
#ifndef HOLDPORT_KEEPER_KEEPER_H
#define HOLDPORT_KEEPER_KEEPER_H

/* argv: as we were started; above: NOTIFY_SOCKET, or NULL.  The exit code. */
int keeper_run(char **argv, const char *above);

/* The word in front of the channel's number and of our own words, in a manager's
 * argv: holdportd manage 5 run -c FILE. */
#define KEEPER_MANAGE "manage"

#endif
