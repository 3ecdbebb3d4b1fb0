#include "control/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "control/connection.h"
#include "platform/platform.h"

enum { BACKLOG = 64, NO_DESCRIPTOR_PAUSE_MS = 1000, WARN_EVERY_MS = 10000 };

/* Never in silence: whoever asked would wait for ever. */
static const char unsayable[] =
	"{\"error\":\"io.holdport.Failed\",\"parameters\":{\"text\":\"the answer is not UTF-8\"}}";

static void send_json(struct client *c, json_t *frame)
{
	char *text = json_dumps(frame, JSON_COMPACT);

	connection_send(c, text ? text : unsayable);
	free(text);
	json_decref(frame);
}

static json_t *or_empty(json_t *parameters)
{
	return parameters ? parameters : json_object();
}

static void finish(struct call *call, json_t *frame)
{
	struct client *c = call->client;

	if (call->oneway)
		json_decref(frame);
	else
		send_json(c, frame);
	call->forget = NULL;
	connection_end_call(c);
}

void call_reply(struct call *c, json_t *parameters)
{
	finish(c, json_pack("{s:o}", "parameters", or_empty(parameters)));
}

void call_error(struct call *c, const char *error, json_t *parameters)
{
	finish(c, json_pack("{s:s, s:o}", "error", error, "parameters", or_empty(parameters)));
}

void call_continue(struct call *c, json_t *parameters)
{
	if (c->more && !c->oneway)
		send_json(c->client, json_pack("{s:o, s:b}", "parameters", or_empty(parameters),
					       "continues", 1));
	else
		json_decref(parameters);
}

void call_continue_text(struct call *c, const char *key, const char *json)
{
	char *frame;

	if (!c->more || c->oneway)
		return;
	frame = mem_format("{\"parameters\":{\"%s\":%s},\"continues\":true}", key, json);
	connection_send(c->client, frame);
	free(frame);
}

static bool is_member(int fd, gid_t group)
{
	return group != (gid_t)-1 && platform_peer_in_group(fd, group) > 0;
}

/* What cannot be known is no. */
static enum right right_of(const struct varlink *v, int fd)
{
	uid_t user;

	if (platform_peer_user(fd, &user) == 0 && (user == 0 || user == geteuid()))
		return RIGHT_CHANGE;
	if (is_member(fd, v->groups.change))
		return RIGHT_CHANGE;
	return is_member(fd, v->groups.read) ? RIGHT_READ : RIGHT_NONE;
}

/* Those who may ask for nothing must not use up the places of those who may. */
static size_t strangers(const struct varlink *v)
{
	size_t n = 0;

	list_each(c, &v->clients, struct client, node)
		n += c->stranger;
	return n;
}

static const struct method *find_method(const struct varlink *v, const char *name)
{
	for (size_t i = 0; i < v->method_count; i++)
		if (strcmp(v->methods[i].name, name) == 0)
			return &v->methods[i];
	return NULL;
}

/* "io.holdport.Status" is of the interface "io.holdport". */
static size_t interface_length(const char *method)
{
	const char *dot = strrchr(method, '.');

	return dot ? (size_t)(dot - method) : 0;
}

static bool has_interface(const struct varlink *v, const char *name, size_t length)
{
	for (size_t i = 0; i < v->method_count; i++)
		if (interface_length(v->methods[i].name) == length &&
		    memcmp(v->methods[i].name, name, length) == 0)
			return true;
	return false;
}

static void not_found(struct call *call, const char *method)
{
	size_t length = interface_length(method);

	if (has_interface(call->client->server, method, length))
		call_error(call, "org.varlink.service.MethodNotFound",
			   json_pack("{s:s}", "method", method));
	else
		call_error(call, "org.varlink.service.InterfaceNotFound",
			   json_pack("{s:s%}", "interface", method, length));
}

void varlink_serve(struct call *call, const struct request *r)
{
	const struct client *c = call->client;

	call->method = find_method(c->server, r->method);
	if (!call->method)
		not_found(call, r->method);
	else if (call->method->needs > right_of(c->server, c->fd))
		call_error(call, "io.holdport.PermissionDenied", NULL);
	else
		call->method->serve(call, r->parameters);
}

static void on_connection(struct loop_io *io, int events);

static void on_pause_over(struct loop_timer *t)
{
	struct varlink *v = OWNER(t, struct varlink, pause);

	loop_io_start(v->loop, &v->io, v->fd, LOOP_READ, on_connection);
}

/* With no descriptor left the listener stays readable: look away for a while
 * instead of turning in circles. */
static void cannot_accept(struct varlink *v, int why)
{
	if (why == EAGAIN || why == EINTR || why == ECONNABORTED)
		return;
	log_error("control: cannot accept a client: %s", strerror(why));
	loop_io_stop(&v->io);
	loop_timer_start(v->loop, &v->pause, NO_DESCRIPTOR_PAUSE_MS, on_pause_over);
}

/* Said now and then: who is turned away must not fill the log. */
static void turn_away(struct varlink *v, int fd)
{
	uid_t user = (uid_t)-1;

	if (!v->warned || loop_now(v->loop) - v->warned >= WARN_EVERY_MS) {
		v->warned = loop_now(v->loop);
		(void)platform_peer_user(fd, &user);
		log_warning("control: too many clients (%zu); one of user %ld is turned away",
			    v->client_count, (long)user);
	}
	fd_close(&fd);
}

static void on_connection(struct loop_io *io, int events)
{
	struct varlink *v = OWNER(io, struct varlink, io);
	int fd = accept4(v->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	bool stranger;

	(void)events;
	if (fd < 0) {
		cannot_accept(v, errno);
		return;
	}
	stranger = right_of(v, fd) == RIGHT_NONE;
	if (v->client_count >= VARLINK_CLIENTS_MOST ||
	    (stranger && strangers(v) >= VARLINK_STRANGERS_MOST))
		turn_away(v, fd);
	else
		connection_new(v, fd, stranger);
}

static int listen_at(const char *path, struct err *err)
{
	int fd = platform_own_socket(path, SOCK_STREAM, 0666, err);

	if (fd >= 0 && listen(fd, BACKLOG) < 0) {
		(void)err_sys(err, errno, "cannot listen at %s", path);
		fd_close(&fd);
	}
	return fd;
}

int varlink_start(struct varlink *v, struct loop *loop, const char *path, int fd,
		  const struct method *methods, size_t count, void *ctx, struct err *err)
{
	if (fd < 0 && (fd = listen_at(path, err)) < 0)
		return -1;
	*v = (struct varlink){ .loop = loop, .fd = fd, .path = mem_text(path),
			       .methods = methods, .method_count = count, .ctx = ctx,
			       .groups = { (gid_t)-1, (gid_t)-1 } };
	list_init(&v->clients);
	loop_io_start(loop, &v->io, fd, LOOP_READ, on_connection);
	return 0;
}

void varlink_stop(struct varlink *v)
{
	int64_t until = clock_monotonic_ms() + CONNECTION_LAST_MS;

	if (!v->path)
		return;
	list_each_safe(c, &v->clients, struct client, node)
		connection_close(c, until);
	loop_io_stop(&v->io);
	loop_timer_stop(&v->pause);
	fd_close(&v->fd);
	(void)unlink(v->path);
	free(v->path);
	v->path = NULL;
}
