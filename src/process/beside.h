/* What comes with us and is used by its path: beside us in a build, where it was
 * installed otherwise. */
#ifndef HOLDPORT_PROCESS_BESIDE_H
#define HOLDPORT_PROCESS_BESIDE_H

/* The caller owns the path; NULL: it is not there. */
char *beside(const char *name);

#endif
