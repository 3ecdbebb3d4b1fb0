/* Asks a supervisor: varlink over RUNTIME_DIR/control, blocking.
 *
 * A client has one connection and asks one thing at a time on it.  Nothing waits
 * longer than the deadline; hanging up ends the waiting, not the work.
 * What fails is said in err, and the return value is what to exit with. */
#ifndef HOLDPORT_CLI_CLIENT_H
#define HOLDPORT_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct client {
	int fd;
	int64_t patience;	/* ms as given, for the sentence; -1: none */
	int64_t deadline;	/* of the monotonic clock */
	struct str in;		/* received, not yet taken */
	size_t searched;	/* so much of it holds no end of a frame */
	int64_t opened;		/* when */
	bool answered;		/* something, since then */
};

struct client_call {
	const char *method;	/* "Status": of io.holdport */
	json_t *parameters;	/* taken; NULL: none.  on_reply() may change what is asked again */
	bool more;
	bool again;		/* it changes nothing: may be asked again (session_try()) */
	/* Each answer; false: that is enough, nobody asks on this connection again. */
	bool (*on_reply)(const json_t *parameters, void *ctx);
	/* Every CLIENT_TICK ms in which no answer came; NULL: not of interest. */
	void (*on_tick)(void *ctx);
	void *ctx;
};

enum { CLIENT_TICK = 250, CLIENT_FRAME_MOST = 16 << 20 };

/* err->code ECONNRESET: the other side hung up before the last answer.
 * patience: ms for all that is asked, -1: none.  0, or what to exit with. */
int client_open(struct client *c, const char *runtime_dir, int64_t patience, struct err *err);
/* Hangs up, and asks on under the same deadline. */
int client_open_again(struct client *c, const char *runtime_dir, struct err *err);
void client_close(struct client *c);	/* accepts one that is not open, but was zeroed */
int client_call(struct client *c, const struct client_call *call, struct err *err);
/* Whether answers are here already that nobody has taken. */
bool client_has_more(const struct client *c, int wait_ms);

/* An error's name and parameters as what to exit with, and a sentence. */
int client_refusal(const char *error, const json_t *parameters, struct err *err);

#endif
