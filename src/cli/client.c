#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "cli/cli.h"

static int timed_out(const struct client *c, struct err *err)
{
	char text[CLOCK_DURATION_SIZE];

	(void)err_set(err, 0, "timed out after %s", clock_duration(c->patience, text));
	return OUTCOME_TIMED_OUT;
}

static int went_away(struct err *err)
{
	(void)err_set(err, ECONNRESET, "the supervisor went away before it answered");
	return OUTCOME_FAILED;
}

/* ms until the deadline: -1 forever, 0 passed. */
static int time_left(const struct client *c)
{
	int64_t left = c->deadline - clock_monotonic_ms();

	if (c->patience < 0)
		return -1;
	return left <= 0 ? 0 : left > 1 << 30 ? 1 << 30 : (int)left;
}

static int refused(const char *runtime_dir, int why, struct err *err)
{
	if (why == ENOENT || why == ECONNREFUSED || why == ENOTDIR) {
		(void)err_set(err, 0, "no supervisor runs in %s", runtime_dir);
		return OUTCOME_NO_SUPERVISOR;
	}
	(void)err_sys(err, why, "%s/control", runtime_dir);
	return why == EACCES || why == EPERM ? OUTCOME_NOT_PERMITTED : OUTCOME_FAILED;
}

/* connect(2) and send(2) on a unix socket wait for room at the other side;
 * SO_SNDTIMEO is what ends both. */
static void bound_sending(const struct client *c)
{
	int left = time_left(c);
	struct timeval t = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };

	if (left < 0)
		return;
	if (left == 0)
		t.tv_usec = 1;		/* 0 would be forever */
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static int open_until(struct client *c, const char *runtime_dir, int64_t patience,
		      int64_t deadline, struct err *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int length = snprintf(to.sun_path, sizeof(to.sun_path), "%s/control", runtime_dir);

	*c = (struct client){ .fd = -1, .patience = patience, .deadline = deadline,
			      .opened = clock_monotonic_ms() };
	if (length >= (int)sizeof(to.sun_path)) {
		(void)err_set(err, 0, "%s/control: longer than the path of a socket may be (%zu)",
			      runtime_dir, sizeof(to.sun_path) - 1);
		return OUTCOME_USAGE;
	}
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return refused(runtime_dir, errno, err);
	bound_sending(c);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return 0;
	return errno == EAGAIN ? timed_out(c, err) : refused(runtime_dir, errno, err);
}

int client_open(struct client *c, const char *runtime_dir, int64_t patience, struct err *err)
{
	return open_until(c, runtime_dir, patience, clock_monotonic_ms() + patience, err);
}

int client_open_again(struct client *c, const char *runtime_dir, struct err *err)
{
	client_close(c);
	return open_until(c, runtime_dir, c->patience, c->deadline, err);
}

void client_close(struct client *c)
{
	if (c->fd > 0)
		fd_close(&c->fd);
	str_fini(&c->in);
}

static int send_all(struct client *c, const char *bytes, size_t length, struct err *err)
{
	bound_sending(c);
	while (length) {
		ssize_t n = send(c->fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? timed_out(c, err) : went_away(err);
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

static int send_request(struct client *c, const struct client_call *call, struct err *err)
{
	char method[64];
	json_t *request;
	char *text;
	int code;

	(void)snprintf(method, sizeof(method), "io.holdport.%s", call->method);
	request = json_pack("{s:s, s:o}", "method", method, "parameters",
			    call->parameters ? call->parameters : json_object());
	if (call->more)
		(void)json_object_set_new(request, "more", json_true());
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!text) {
		(void)err_set(err, 0, "what is asked is not UTF-8");
		return OUTCOME_USAGE;
	}
	code = send_all(c, text, strlen(text) + 1, err);	/* the NUL ends the frame */
	free(text);
	return code;
}

static int receive(struct client *c, struct err *err)
{
	char bytes[65536];
	ssize_t n;

	if (c->in.length > CLIENT_FRAME_MOST) {
		(void)err_set(err, 0, "the supervisor's answer is longer than any should be");
		return OUTCOME_FAILED;
	}
	do
		n = recv(c->fd, bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return went_away(err);
	str_add_n(&c->in, bytes, (size_t)n);
	return 0;
}

static int wait_readable(struct client *c, const struct client_call *call, struct err *err)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	for (;;) {
		int left = time_left(c);
		int wait = call->on_tick && (left < 0 || left > CLIENT_TICK) ? CLIENT_TICK : left;
		int n = poll(&p, 1, wait);

		if (n > 0)
			return 0;
		if (n == 0 && wait == left)
			return timed_out(c, err);
		if (n == 0)
			call->on_tick(call->ctx);
	}
}

static char *end_of_frame(struct client *c)
{
	char *end = c->in.length > c->searched
			    ? memchr(c->in.data + c->searched, '\0', c->in.length - c->searched)
			    : NULL;

	c->searched = end ? 0 : c->in.length;
	return end;
}

static int next_reply(struct client *c, const struct client_call *call, json_t **ret,
		      struct err *err)
{
	char *end;
	int code;
	size_t length;

	while (!(end = end_of_frame(c)))
		if ((code = wait_readable(c, call, err)) || (code = receive(c, err)))
			return code;
	length = (size_t)(end - c->in.data);
	*ret = json_loadb(c->in.data, length, JSON_ALLOW_NUL, NULL);
	str_cut(&c->in, length + 1);
	c->answered = true;
	if (json_is_object(*ret))
		return 0;
	json_decref(*ret);
	(void)err_set(err, 0, "what the supervisor answered is not understood");
	return OUTCOME_FAILED;
}

static int hear(const struct client_call *call, const json_t *reply, bool *ret_more,
		struct err *err)
{
	const char *error = json_string_value(json_object_get(reply, "error"));
	const json_t *parameters = json_object_get(reply, "parameters");

	*ret_more = json_is_true(json_object_get(reply, "continues"));
	if (error)
		return client_refusal(error, parameters, err);
	if (call->on_reply && !call->on_reply(parameters, call->ctx))
		*ret_more = false;
	return 0;
}

int client_call(struct client *c, const struct client_call *call, struct err *err)
{
	int code = send_request(c, call, err);
	bool more = true;

	while (!code && more) {
		json_t *reply = NULL;

		code = next_reply(c, call, &reply, err);
		if (!code) {
			code = hear(call, reply, &more, err);
			json_decref(reply);
		}
	}
	return code;
}

bool client_has_more(const struct client *c, int wait_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return (c->in.length && memchr(c->in.data, '\0', c->in.length)) || poll(&p, 1, wait_ms) > 0;
}
