/* What a manager leaves for the keeper that it becomes: its descriptors stay open over
 * exec(2), and a file without a name lists them (keeper/hold.h). */
#ifndef HOLDPORT_KEEPER_BEQUEST_H
#define HOLDPORT_KEEPER_BEQUEST_H

#include "keeper/custody.h"

/* Each that is open, under its number, until `see` says other than 0. */
int bequest_each(const struct custody *c, int (*see)(int number, int fd, const char *what, void *ctx),
		 void *ctx);
/* The file, which stays open too.  -1: nothing has changed. */
int bequest_write(const struct custody *c, struct err *err);
/* It did not become one.  Closes *file. */
void bequest_undo(const struct custody *c, int *file);

#endif
