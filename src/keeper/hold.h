/* What the keeper holds for managers: descriptors by number, and children that are
 * not to be taken away. */
#ifndef HOLDPORT_KEEPER_HOLD_H
#define HOLDPORT_KEEPER_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper/channel.h"

enum { HOLD_WHAT = CHANNEL_WHAT };

/* In the file that a manager leaves for the keeper that it becomes: one after the
 * other, of descriptors that stay open over exec(2). */
struct hold_left {
	int64_t number;
	int32_t fd;
	char what[HOLD_WHAT];
};

/* What begins so is no descriptor to hold (onward.h). */
#define HOLD_ASIDE "="

struct hold {
	struct hold_item {
		int fd;			/* -1: the number is free */
		char what[HOLD_WHAT];
	} *items;
	size_t count;
	pid_t *fosters;
	size_t foster_count;
};

void hold_put(struct hold *h, int64_t number, const char *what, int *fd);	/* takes *fd */
/* Closes *file. */
void hold_inherit(struct hold *h, int *file);
/* Everything to who is at the other end; -1: he does not read. */
int hold_give(const struct hold *h, int channel);
size_t hold_count(const struct hold *h);	/* descriptors */
void hold_drop(struct hold *h, int64_t number);
void hold_foster(struct hold *h, const int32_t *pids, size_t count);
bool hold_is_foster(const struct hold *h, pid_t pid);
void hold_release(struct hold *h, pid_t pid);
void hold_close(struct hold *h);

#endif
