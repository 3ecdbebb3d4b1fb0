/* Which held socket the path of a worker's bind(2) means.
 *
 * One file has many names: /var/run is a link, a worker may be in another directory,
 * or in another root.  What counts is the directory that a name lies in. */
#ifndef HOLDPORT_INTERCEPT_PATH_H
#define HOLDPORT_INTERCEPT_PATH_H

#include "intercept/decide.h"
#include "platform/intercept.h"

/* NULL: no path.  May be relative. */
const char *path_asked(const struct asked *asked);
/* The held socket (or permission) whose path is in that directory under that name, of
 * whatever type; NULL: the path is none of our business. */
struct held *path_meant(struct store *store, const struct trap *t, const struct asked *asked);

#endif
