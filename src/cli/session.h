/* From a command line to its supervisor: where it is, what it is asked, and
 * what is said when that fails.  Everything here complains itself and returns
 * what to exit with. */
#ifndef HOLDPORT_CLI_SESSION_H
#define HOLDPORT_CLI_SESSION_H

#include "cli/cli.h"
#include "cli/client.h"

struct settings;

struct session {
	const struct request *request;
	char *runtime_dir;
	char *config;			/* NULL: no file led here */
	struct client client;
};

int session_open(struct session *s, const struct request *r);
void session_close(struct session *s);
int session_connect(struct session *s);	/* again; its client is closed */
int session_call(struct session *s, const struct client_call *call);
/* The same, but the sentence is left to the caller. */
int session_try(struct session *s, const struct client_call *call, struct err *err);

/* All of it for a command that asks one thing. */
int session_ask(const struct request *r, const struct client_call *call);

/* The configuration that the command line, the environment or the system names;
 * NULL: there is none.  The caller owns the text. */
char *config_named(const struct request *r);
/* Reads it; 0, or every fault was printed. */
int config_load(const char *file, struct settings **ret);

/* For client_call.on_reply: the last answer.  ctx: a json_t **, NULL at first; the caller
 * owns what is in it. */
bool keep_answer(const json_t *parameters, void *ctx);
/* A call that keeps the answer in *ret, which stays NULL when it fails.  names is
 * taken; NULL: all. */
struct client_call status_call(json_t *names, json_t **ret);
int status_fetch(struct client *c, json_t *names, json_t **ret, struct err *err);
/* By which a change is the same one, on whatever connection; the caller owns it. */
json_t *request_name(void);
json_t *names_of(const struct request *r);	/* [NAME…]; the caller owns it */

#endif
