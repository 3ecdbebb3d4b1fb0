/* Varlink over a unix socket, the serving side: JSON objects ended by a NUL byte
 * (https://varlink.org).  One request of a client is served at a time; what it
 * sends meanwhile waits.  Frames, clients and unsent answers are bounded, and so
 * is the time that a client may waste (connection.h). */
#ifndef HOLDPORT_CONTROL_VARLINK_H
#define HOLDPORT_CONTROL_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/str.h"
#include "control/frames.h"
#include "loop/loop.h"

enum {
	VARLINK_FRAME_MOST = 1 << 20,
	VARLINK_STRANGERS_FRAME_MOST = 64 << 10,
	VARLINK_CLIENTS_MOST = 64,
	VARLINK_STRANGERS_MOST = 8,	/* of them without any rights */
	VARLINK_UNSENT_MOST = 4 << 20,
};

struct varlink;
struct call;

/* What somebody may; each includes those before it. */
enum right {
	RIGHT_NONE,			/* beyond asking what this is */
	RIGHT_READ,
	RIGHT_CHANGE,
};

/* Whose members may, beside root and our own user; (gid_t)-1: nobody's. */
struct varlink_groups {
	gid_t read, change;
};

struct method {
	const char *name;		/* "io.holdport.Status" */
	enum right needs;
	/* Answers with call_*(), now or later. */
	void (*serve)(struct call *c, json_t *parameters);
};

struct client {
	struct list node;
	struct varlink *server;
	int fd;
	bool stranger;			/* it had no rights when it came */
	bool closing;			/* once everything is sent */
	struct loop_io io;
	struct loop_later later;
	struct loop_timer rest;		/* others first: it sent many requests at once */
	struct loop_timer patience;
	int waits_for;			/* what the patience is for */
	bool moved;			/* it got or gave what was waited for */
	struct frames in;
	struct str out;
	struct call *call;		/* under way, or NULL */
};

/* A request under way.  It lives until its last answer, or until its client
 * hangs up; then forget() is called, if set, and after it nothing else. */
struct call {
	struct client *client;
	const struct method *method;
	bool more, oneway;
	void *data;			/* the method's */
	void (*forget)(struct call *c);
};

struct varlink {
	struct loop *loop;
	int fd;
	char *path;
	struct loop_io io;
	struct loop_timer pause;
	struct list clients;
	size_t client_count;
	int64_t warned;			/* when one too many was last said */
	const struct method *methods;
	size_t method_count;
	void *ctx;			/* the owner's, for methods */
	/* The owner's, live: each request is judged by what it says then. */
	struct varlink_groups groups;
};

/* Listens at path (made anew, mode 0666: rights are decided per request).  Until
 * v->groups is set, nobody's members may anything.  fd >= 0: one that listens there
 * already, taken over. */
int varlink_start(struct varlink *v, struct loop *loop, const char *path, int fd,
		  const struct method *methods, size_t count, void *ctx, struct err *err);
void varlink_stop(struct varlink *v);	/* accepts one that was never started */

/* Each takes parameters; NULL: none. */
void call_reply(struct call *c, json_t *parameters);		/* the last answer */
void call_continue(struct call *c, json_t *parameters);		/* if asked for more */
void call_error(struct call *c, const char *error, json_t *parameters);
/* As call_continue() with {"KEY": JSON}, from text. */
void call_continue_text(struct call *c, const char *key, const char *json);
static inline void *call_owner(const struct call *c)
{
	return c->client->server->ctx;
}

#endif
