/* Every listening socket that this supervisor holds, whoever opened it.
 *
 * A start, a reload, later an upgrade, a crash recovery, sockets inherited from
 * an activator and an intercepted bind(2) are one question: is there already a
 * socket with this key?  So all of them claim here first, and only a claim
 * that comes back empty binds anew.
 *
 * The store owns the descriptors, from the moment they are given.  A `held` is one address of one [socket:NAME]
 * section; whoever needs it to stay takes a reference (a configuration in
 * force, the means of a generation), and the last reference that goes closes
 * it.  So a socket that a reload removed lives on until the last generation
 * that was given it is gone.
 *
 * Knows nothing of programs and configuration files.  A busy address is not an
 * error here: the held socket is `waiting`, is tried again, and says why. */
#ifndef HOLDPORT_SOCKET_STORE_H
#define HOLDPORT_SOCKET_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/str.h"
#include "config/settings.h"
#include "loop/loop.h"
#include "socket/gate.h"
#include "socket/held_state.h"
#include "socket/key.h"
#include "socket/unix_path.h"

enum origin { ORIGIN_BOUND, ORIGIN_INHERITED, ORIGIN_RECOVERED, ORIGIN_ADOPTED };
const char *origin_word(enum origin o);

struct store;
struct group;

struct held {
	struct list node;
	struct store *store;
	struct key key;
	enum held_state state;
	enum origin origin;
	int fd;				/* -1 while waiting; the store's own */
	unsigned long inode;		/* of the listening socket, 0 while waiting */
	unsigned references;
	bool claimed;			/* by a program, while serving.c looks */
	const struct socket_settings *settings;	/* in force; the held keeps their whole alive */
	unsigned bindings;		/* how often it was bound: a new one is a new inode */
	struct group *group;		/* with reuse_port (group.h), NULL: it is alone */
	bool served;			/* of a group: a worker of its slot serves */
	unsigned index;			/* of the address in its section */
	/* A worker bound it, and this one's address permits that; NULL: it is one of
	 * the configuration. */
	struct held *permit;
	/* The owner's: its number in custody, and the inode that has it; the inode that a
	 * service manager above us stores. */
	unsigned kept;
	unsigned long kept_inode, stored_inode;
	char *reason;			/* why it waits, NULL otherwise */
	bool spoilt;			/* it listens, but not as it should: reason (heal.h) */
	char *trouble;			/* the part of it that when_busy adds */
	struct gate gate;		/* shut while it waits */
	struct loop_timer again;	/* heals a listener */
	struct loop_io hang_up;
	/* The store's own: */
	bool seeks_permit;		/* revived: its permit is not there yet */
	bool revived;			/* has a reference for that, until store_revived() */
	bool own_path;			/* in an earlier life, if it was given back */
	struct unix_path path;		/* the file that the bind made */
	bool anchored;			/* it has a second name (anchor.h) */
	int link_watch;			/* of its names; -1: none */
	int why;			/* errno of the last bind */
	/* See rebind.h: */
	unsigned long number;		/* of two with one key the higher is the one */
	bool leaving;			/* the configuration has let it go */
	bool audience;			/* who serves has it */
	bool shared;			/* others may bind beside it, for now */
	bool deaf;			/* what is new goes to another */
	bool door;			/* rebind_open_door() changed who hears */
	int64_t deaf_since, renewed;	/* when; renewed: in vain */
	int64_t healed;			/* when */
};

/* A socket that we were given and nobody has claimed yet. */
struct given {
	struct list node;
	struct key key;
	int fd;
	char *name;			/* as the giver calls it */
	enum origin origin;
	unsigned kept;
};

/* The names of unix sockets' files are watched (anchor.h). */
struct anchors {
	struct loop *loop;
	struct store *store;
	int set;			/* -1: nothing is watched */
	struct loop_io io;
	struct loop_timer pause;
};

struct store {
	struct loop *loop;
	struct anchors anchors;
	struct list sockets;		/* struct held, in the order they came */
	struct list given;		/* struct given */
	unsigned long last_number;
	bool beside;			/* some are bound beside each other */
	/* A held socket changed its state (listening, waiting, closed) or its
	 * reason to wait; told by the last act of a turn, so it may be let go. */
	void (*changed)(struct held *h, void *ctx);
	/* Its descriptor is about to be closed: a copy that somebody else has for us has to
	 * go before the address is asked for again.  May be NULL. */
	void (*closing)(struct held *h, void *ctx);
	/* Adds who alone can have done something to it; nothing: not known.  May be NULL. */
	void (*suspect)(const struct held *h, struct str *ret, void *ctx);
	void *ctx;
};

void store_init(struct store *s, struct loop *loop,
		void (*changed)(struct held *h, void *ctx), void *ctx);
void store_fini(struct store *s);	/* closes everything, unlinks unix paths */

/* The held socket with this key, the newest if one takes the place of another;
 * or NULL.  Takes no reference. */
struct held *store_claim(struct store *s, const struct key *key);

/* The one whose place it took, of the same key; NULL: there is none. */
struct held *store_replaced(const struct held *h);

/* Takes fd: the first store_add() of this key has it instead of binding. */
void store_give(struct store *s, int fd, const struct key *key, const char *name);
/* As store_give(), of what an earlier manager had: kept is its number in custody. */
void store_give_back(struct store *s, int fd, const struct key *key, unsigned kept);
/* Closes what was given and not claimed, and says so. */
void store_close_given(struct store *s);

/* A new entry for a key that nobody holds, with no reference yet: what was given
 * to us, else bound at once if that works, else `waiting` with the reason, and tried
 * again when that is worth while (gate.h). */
struct held *store_add(struct store *s, const struct key *key,
		       const struct socket_settings *settings, unsigned index);

/* Its address is left to a worker to bind (handoff = intercept), wholly or in part,
 * and no worker has bound exactly it yet. */
bool held_awaits_worker(const struct held *h);
/* The one of the configuration that stands behind it: itself, or its permit. */
struct held *held_configured(struct held *h);
/* It awaits a worker, but workers bound parts of it: those are what there is. */
bool held_is_parted(const struct held *h);
/* As it is, or will be, bound. */
bool held_v6only(const struct held *h);
/* A worker's own socket is bound to this address, which `permit` covers, and held
 * from now on; takes fd.  NULL: err->code is for the worker. */
struct held *held_bind_own(struct held *permit, const struct key *key, int fd, struct err *err);

/* One that an earlier manager held, as it was; takes fd.  It stays until store_revived()
 * at least. */
struct held_memory {
	unsigned kept;			/* its number in custody */
	unsigned long number;
	bool leaving, deaf, own_path, inherited;
	bool by_worker;			/* it has a permit */
};
struct held *store_revive(struct store *s, const struct key *key,
			  const struct socket_settings *settings, unsigned index, int fd,
			  const struct held_memory *m);
/* The sockets of the configuration are there: who has a permit finds it. */
void store_find_permits(struct store *s);
/* Whoever needs one has it now: what nobody needs is closed. */
void store_revived(struct store *s);
void held_remember(const struct held *h, struct held_memory *ret);
/* The one with this number in custody, or NULL. */
struct held *store_by_kept(struct store *s, unsigned kept);

/* A reload: the same socket under new settings.  Live options are applied; a
 * failure leaves the old settings in force. */
int held_retune(struct held *h, const struct socket_settings *settings, struct err *err);
/* The same settings at a new place in memory: nothing is applied. */
void held_settings(struct held *h, const struct socket_settings *settings, unsigned index);

/* Somebody serves it, or will in a moment; or nobody does, so that with
 * when_down = refuse it stops listening. */
void held_serve(struct held *h, bool served);

/* The configuration lets it go, and others may take its place; or it comes back. */
void held_leave(struct held *h);
void held_return(struct held *h);

/* What a reload asks of one that waits: when_busy = fail does not, and reset does
 * only if that would help. */
bool held_may_wait(const struct held *h);

void held_ref(struct held *h);
void held_unref(struct held *h);	/* the last one closes */

/* The slots of a leader that were given back. */
void held_claim_slots(struct held *leader);
/* For group.c: one that is in no list of the store, nothing of it open yet. */
struct held *held_new(struct store *s, const struct key *key,
		      const struct socket_settings *settings, unsigned index,
		      struct group *group);
void held_open(struct held *h);	/* what was given to us, or left to a worker, or bound */
void held_close(struct held *h);
void held_take(struct held *h, int fd);		/* bound for it; it listens */
void held_close_permitted(const struct held *permit);

#endif
