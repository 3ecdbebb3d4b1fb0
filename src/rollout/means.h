/* All that is needed to start a generation again: the settings in force when it
 * was made, the held sockets it is given, and the executable that its first worker
 * found.  Shared by reference; while anybody has one, its sockets stay held. */
#ifndef HOLDPORT_ROLLOUT_MEANS_H
#define HOLDPORT_ROLLOUT_MEANS_H

#include "base/str.h"
#include "config/settings.h"
#include "process/executable.h"
#include "socket/store.h"

struct means {
	unsigned references;
	struct settings *settings;		/* holds a reference */
	const struct program_settings *program;	/* in settings */
	struct held **held;			/* a reference each, in the order declared */
	size_t held_count;
	struct executable executable;	/* nothing until the first worker */
};

/* Every socket that the program declares must be in the store. */
struct means *means_new(struct settings *settings, const struct program_settings *program,
			struct store *store);
/* The same settings and sockets; and the same executable, or one to be found. */
struct means *means_copy(const struct means *m, bool keep_executable);
/* Settings and executable, but no sockets: what is remembered of a generation
 * must not keep an address that the configuration has let go. */
struct means *means_memory(const struct means *m);
/* A memory with its sockets; NULL when the store has them no more. */
struct means *means_revive(const struct means *memory, struct store *store, struct err *err);
/* In place of the socket at this position: another one of the same address. */
void means_swap(struct means *m, size_t position, struct held *h);
struct means *means_ref(struct means *m);
void means_unref(struct means *m);		/* accepts NULL */

/* Grows whenever one of its sockets was bound (again): a worker that was started
 * before does not have the new one. */
unsigned means_bindings(const struct means *m);
/* Sockets that a worker has spoilt are bound anew (rebind_if_spoilt()). */
void means_renew(struct means *m);
bool means_has(const struct means *m, const struct held *h);
/* A generation of one is like a generation of the other: the same executable, and settings
 * that differ in live keys only. */
bool means_alike(const struct means *a, const struct means *b);
bool means_same_sockets(const struct means *a, const struct means *b);

/* Are all of its sockets bound, every slot of a group?  What is missing is added to ret_missing
 * (may be NULL) as "socket http waits: REASON". */
bool means_bound(const struct means *m, struct str *ret_missing);
/* The same of those that one worker is given. */
bool held_bound(struct held *const *held, size_t count, struct str *ret_missing);

#endif
