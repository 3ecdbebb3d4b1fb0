#include "cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/options.h"
#include "cli/output.h"
#include "config/nearest.h"
#include "config/settings.h"

/* One question ends no more managers than so many, in a row, each in less than so long. */
enum { MANAGERS_MOST = 10, ENDED_BY_IT_MS = 1000 };

char *config_named(const struct request *r)
{
	const char *file = r->config ? r->config : r->config_of_env;

	if (file)
		return mem_text(file);
	file = settings_default_file();
	return access(file, F_OK) == 0 ? mem_text(file) : NULL;
}

int config_load(const char *file, struct settings **ret)
{
	struct faults faults = { 0 };

	/* A file that is not for our eyes is no mistake of its author. */
	if (access(file, R_OK) && errno == EACCES)
		return complain(OUTCOME_NOT_PERMITTED, "%s: %s", file, strerror(EACCES));
	*ret = settings_load(file, &faults);
	faults_print(&faults, stderr);
	faults_fini(&faults);
	return *ret ? 0 : OUTCOME_USAGE;
}

static int after_faults(const struct request *r, int code, const char *file)
{
	if (r->command->run == cmd_reload)
		return complain(code, "reload: nothing was changed");
	return complain(code, "with --runtime-dir DIR a supervisor is found without %s", file);
}

static int find(struct session *s, const struct request *r)
{
	struct settings *settings;
	int code;

	if (r->runtime_dir && !r->config) {
		s->runtime_dir = mem_text(r->runtime_dir);
		return 0;
	}
	s->config = config_named(r);
	if (!s->config) {
		s->runtime_dir = settings_default_runtime_dir();
		return 0;
	}
	code = config_load(s->config, &settings);
	if (code)
		return after_faults(r, code, s->config);
	s->runtime_dir = mem_text(settings->supervisor.runtime_dir);
	settings_unref(settings);
	return 0;
}

static int complain_open(const struct session *s, int code, const struct err *err)
{
	if (code != OUTCOME_NO_SUPERVISOR)
		return complain(code, "%s", err->text);
	return complain(code, "%s (start one with holdport run -c %s)", err->text,
			s->config ? s->config : "FILE");
}

int session_connect(struct session *s)
{
	struct err err;
	int code = client_open(&s->client, s->runtime_dir, s->request->timeout, &err);

	return code ? complain_open(s, code, &err) : 0;
}

int session_open(struct session *s, const struct request *r)
{
	int code;

	*s = (struct session){ .request = r, .client.fd = -1 };
	code = find(s, r);
	return code ? code : session_connect(s);
}

void session_close(struct session *s)
{
	client_close(&s->client);
	free(s->runtime_dir);
	free(s->config);
}

static void add_names(const json_t *objects, struct text_list *names)
{
	const json_t *object;
	size_t i;

	json_array_foreach((json_t *)objects, i, object)
		if (json_text(object, "name"))
			text_list_add(names, json_text(object, "name"));
}

static const char *unknown_among(const struct request *r, const struct text_list *known)
{
	for (size_t i = 0; i < r->name_count; i++)
		if (!text_list_has(known, r->names[i]))
			return r->names[i];
	return NULL;
}

/* Which name was meant?  Only status knows sockets by name. */
static void add_hint(const struct request *r, const json_t *status, struct err *err)
{
	bool of_sockets = r->command->run == cmd_sockets;
	const char *mine = of_sockets ? "sockets" : "programs";
	const char *theirs = of_sockets ? "programs" : "sockets";
	struct text_list names = { 0 }, others = { 0 };
	char hint[NEAREST_SIZE];
	const char *unknown;

	add_names(json_object_get(status, mine), &names);
	add_names(json_object_get(status, theirs), &others);
	if (r->command->run == cmd_status)
		add_names(json_object_get(status, theirs), &names);
	unknown = unknown_among(r, &names);
	if (unknown && text_list_has(&others, unknown))
		(void)err_set(err, 0, of_sockets ? "\"%s\" is a program, not a socket"
						 : "\"%s\" is a socket, not a program", unknown);
	else if (unknown)
		(void)err_set(err, 0, "nothing here is called \"%s\"%s", unknown,
			      nearest_hint(unknown, &names, hint));
	text_list_fini(&names);
	text_list_fini(&others);
}

static void add_goes_on(struct err *err)
{
	struct err before = *err;

	(void)err_set(err, before.code, "%s; the work goes on", before.text);
}

/* It may be what we ask that ended it. */
static bool ended_by_it(const struct client *c)
{
	return !c->answered && clock_monotonic_ms() - c->opened < ENDED_BY_IT_MS;
}

/* A manager that ended, or goes on as another image, takes its connections with it;
 * who comes to its socket meanwhile waits for the next one. */
static int call_until_answered(struct session *s, const struct client_call *call,
			       struct err *err)
{
	struct client_call now = *call;
	int code = 0, managers = 0;

	while (!code) {
		now.parameters = call->again ? json_incref(call->parameters) : call->parameters;
		code = client_call(&s->client, &now, err);
		if (code != OUTCOME_FAILED || err->code != ECONNRESET || !call->again)
			break;
		managers = ended_by_it(&s->client) ? managers + 1 : 0;
		if (managers < MANAGERS_MOST)
			code = client_open_again(&s->client, s->runtime_dir, err);
	}
	if (call->again)
		json_decref(call->parameters);
	return code;
}

int session_try(struct session *s, const struct client_call *call, struct err *err)
{
	const struct request *r = s->request;
	int code = call_until_answered(s, call, err);
	json_t *status = NULL;

	if (code == OUTCOME_UNKNOWN_NAME && !status_fetch(&s->client, NULL, &status, NULL)) {
		add_hint(r, status, err);
		json_decref(status);
	}
	if (code == OUTCOME_TIMED_OUT && (r->command->options & OPTION_BIT(NO_WAIT)))
		add_goes_on(err);
	return code;
}

int session_call(struct session *s, const struct client_call *call)
{
	struct err err;
	int code = session_try(s, call, &err);

	return code ? complain(code, "%s", err.text) : 0;
}

int session_ask(const struct request *r, const struct client_call *call)
{
	struct session s;
	int code = session_open(&s, r);

	if (code)
		json_decref(call->parameters);
	else
		code = session_call(&s, call);
	session_close(&s);
	return code;
}

bool keep_answer(const json_t *parameters, void *ctx)
{
	json_t **kept = ctx;

	json_decref(*kept);
	*kept = json_incref((json_t *)parameters);
	return true;
}

struct client_call status_call(json_t *names, json_t **ret)
{
	*ret = NULL;
	return (struct client_call){
		.method = "Status",
		.again = true,
		.parameters = names ? json_pack("{s:o}", "names", names) : NULL,
		.on_reply = keep_answer,
		.ctx = ret,
	};
}

int status_fetch(struct client *c, json_t *names, json_t **ret, struct err *err)
{
	struct client_call call = status_call(names, ret);

	return client_call(c, &call, err);
}

json_t *names_of(const struct request *r)
{
	json_t *names = json_array();

	for (size_t i = 0; i < r->name_count; i++)
		(void)json_array_append_new(names, json_string(r->names[i]));
	return names;
}

json_t *request_name(void)
{
	unsigned char bytes[16] = { 0 };
	char name[2 * sizeof(bytes) + 1];

	(void)getentropy(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(name + 2 * i, 3, "%02x", bytes[i]);
	return json_string(name);
}
