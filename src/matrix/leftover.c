#include "matrix/leftover.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "matrix/sight.h"
#include "platform/platform.h"

enum { QUEUE = 4, MORE_THAN_FITS = 256 * 1024 };

/* ---- the steps that lead to a state ---- */

typedef int step_fn(struct leftover *l, struct err *err);

/* Whatever drops packets on loopback must not hold us up. */
static void be_impatient(int fd)
{
	struct timeval most = { .tv_sec = PATIENCE_MS / 1000 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

static int bind_first(const struct leftover *l, enum matrix_address address, struct err *err)
{
	struct spot at = spot_of(l->first.kind, address, l->port);
	int fd = spot_socket(&l->first, err);

	if (fd < 0)
		return -1;
	be_impatient(fd);
	if (platform_bind(fd, SPOT(&at), at.length) == 0)
		return fd;
	(void)err_sys(err, errno, "%s: cannot bind the %s address",
		      matrix_family_word(l->first.kind, l->first.kind),
		      matrix_address_word(address));
	fd_close(&fd);
	return -1;
}

static int listen_first(struct leftover *l, struct err *err)
{
	l->listener = bind_first(l, l->first.address, err);
	if (l->listener < 0)
		return -1;
	return platform_listen(l->listener, QUEUE) < 0 ? err_sys(err, errno, "cannot listen") : 0;
}

static int join(int client, int listener, const struct spot *to, int *ret, struct err *err)
{
	be_impatient(client);
	if (connect(client, SPOT(to), to->length) < 0)
		return err_sys(err, errno, "cannot connect to loopback");
	*ret = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return *ret < 0 ? err_sys(err, errno, "cannot accept a connection") : 0;
}

static int note_ends(struct leftover *l, struct err *err)
{
	l->ours_at.length = l->peer_at.length = sizeof(l->ours_at.sa);
	if (getpeername(l->peer, SPOT(&l->ours_at), &l->ours_at.length) < 0 ||
	    getsockname(l->peer, SPOT(&l->peer_at), &l->peer_at.length) < 0)
		return err_sys(err, errno, "the connection is gone");
	return 0;
}

/* The peer takes next to nothing in, so that what we send stays with us. */
static int get_connected(struct leftover *l, struct err *err)
{
	struct matrix_socket plain = { .kind = l->first.kind };
	struct spot to = spot_of(l->first.kind, MATRIX_SPECIFIC, l->port);
	int least = 1;

	l->peer = spot_socket(&plain, err);
	if (l->peer < 0)
		return -1;
	(void)setsockopt(l->peer, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	return join(l->peer, l->listener, &to, &l->ours, err) || note_ends(l, err) ? -1 : 0;
}

static int close_listener(struct leftover *l, struct err *err)
{
	(void)err;
	fd_close(&l->listener);
	return 0;
}

/* The window of the peer is full afterwards: a FIN waits behind the data, and
 * nothing acknowledges it. */
static int fill(struct leftover *l, struct err *err)
{
	static const char zeroes[MORE_THAN_FITS];

	if (send(l->ours, zeroes, sizeof(zeroes), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return err_sys(err, errno, "cannot send");
	return 0;
}

static int close_ours(struct leftover *l, struct err *err)
{
	(void)err;
	fd_close(&l->ours);
	return 0;
}

static int close_peer(struct leftover *l, struct err *err)
{
	(void)err;
	fd_close(&l->peer);
	return 0;
}

static int finish_ours(struct leftover *l, struct err *err)
{
	return shutdown(l->ours, SHUT_WR) < 0 ? err_sys(err, errno, "cannot shut down") : 0;
}

static int finish_peer(struct leftover *l, struct err *err)
{
	return shutdown(l->peer, SHUT_WR) < 0 ? err_sys(err, errno, "cannot shut down") : 0;
}

/* At once, instead of 40 ms later. */
static int acknowledge(struct leftover *l, struct err *err)
{
	(void)l, (void)err;
#ifdef TCP_QUICKACK
	int yes = 1;

	(void)setsockopt(l->peer, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof(yes));
#endif
	return 0;
}

static int open_destinations(struct leftover *l, struct err *err)
{
	struct matrix_socket plain = { .kind = l->first.kind };
	struct spot any = spot_of(l->first.kind, MATRIX_SPECIFIC, 0);

	for (size_t i = 0; i < COUNT(l->elsewhere); i++) {
		int fd = l->elsewhere[i] = spot_socket(&plain, err);

		if (fd < 0)
			return -1;
		be_impatient(fd);
		if (platform_bind(fd, SPOT(&any), any.length) < 0 || platform_listen(fd, QUEUE))
			return err_sys(err, errno, "cannot listen on loopback");
	}
	return 0;
}

static struct spot spot_of_fd(int fd)
{
	struct spot p = { .length = sizeof(p.sa) };

	(void)getsockname(fd, SPOT(&p), &p.length);
	return p;
}

static int connect_as_client(struct leftover *l, struct err *err)
{
	struct spot to = spot_of_fd(l->elsewhere[0]);

	l->ours = bind_first(l, MATRIX_SPECIFIC, err);
	if (l->ours < 0)
		return -1;
	return join(l->ours, l->elsewhere[0], &to, &l->peer, err) || note_ends(l, err) ? -1 : 0;
}

#define CONNECTION   listen_first, get_connected
#define NOT_LISTENED CONNECTION, close_listener

/* A server that is gone leaves connections without a descriptor: where the state
 * allows it, so do we. */
static step_fn *const recipes[MATRIX_STATES][8] = {
	[MATRIX_LISTEN] = { listen_first },
	[MATRIX_ESTABLISHED_LISTEN] = { CONNECTION },
	[MATRIX_ESTABLISHED] = { NOT_LISTENED },
	[MATRIX_CLOSE_WAIT] = { NOT_LISTENED, finish_peer },
	[MATRIX_FIN_WAIT_1] = { NOT_LISTENED, fill, close_ours },
	[MATRIX_FIN_WAIT_2] = { NOT_LISTENED, close_ours, acknowledge },
	[MATRIX_CLOSING] = { NOT_LISTENED, fill, close_ours, finish_peer },
	[MATRIX_LAST_ACK] = { NOT_LISTENED, finish_peer, fill, close_ours },
	[MATRIX_TIME_WAIT] = { NOT_LISTENED, finish_ours, close_peer, close_ours },
	[MATRIX_CONNECTED] = { open_destinations, connect_as_client },
	[MATRIX_CONNECTED_SAME] = { open_destinations, connect_as_client },
};

int leftover_make(struct leftover *l, enum matrix_state state, const struct matrix_socket *first,
		  struct err *err)
{
	*l = (struct leftover){ .state = state, .first = *first, .listener = -1, .ours = -1,
				.peer = -1, .elsewhere = { -1, -1 } };
	l->port = spot_free_port(err);
	if (l->port < 0)
		return -1;
	for (step_fn *const *step = recipes[state]; *step; step++)
		if ((*step)(l, err))
			return -1;
	return sight_await(l->port, state, err);
}

/* ---- the second bind ---- */

static int connect_second(const struct leftover *l, int fd)
{
	struct spot to = spot_of_fd(l->elsewhere[l->state == MATRIX_CONNECTED]);

	be_impatient(fd);
	return connect(fd, SPOT(&to), to.length) < 0 ? errno : 0;
}

int leftover_second(const struct leftover *l, const struct matrix_socket *second, struct err *err)
{
	struct spot at = spot_of(second->kind, second->address, l->port);
	int fd = spot_socket(second, err), result = 0;

	if (fd < 0)
		return MATRIX_UNTESTED;
	if (platform_bind(fd, SPOT(&at), at.length) < 0)
		result = errno == EADDRNOTAVAIL ? MATRIX_UNTESTED : errno;
	else if (matrix_is_client(l->state))
		result = connect_second(l, fd);
	else if (platform_listen(fd, QUEUE) < 0)
		result = errno;
	if (result == MATRIX_UNTESTED)
		(void)err_sys(err, EADDRNOTAVAIL, "%s: cannot bind the %s address",
			      matrix_family_word(second->kind, second->kind),
			      matrix_address_word(second->address));
	spot_reset(&fd);
	return result;
}

/* ---- and away with it ---- */

/* What TIME_WAIT answers to a connection from where the last one came from is
 * not what that asked for, so it is reset: "TIME-WAIT assassination", RFC 1337. */
static unsigned end_time_wait(const struct leftover *l, int most_ms)
{
	struct matrix_socket reuse = { .kind = l->first.kind, .options = 1 };
	int fd = spot_socket(&reuse, NULL);
	unsigned left;

	if (fd >= 0 && fd_non_blocking(fd, true) == 0 &&
	    platform_bind(fd, SPOT(&l->peer_at), l->peer_at.length) == 0)
		(void)connect(fd, SPOT(&l->ours_at), l->ours_at.length);
	left = sight_await_nothing(l->port, most_ms);
	spot_reset(&fd);
	return left;
}

unsigned leftover_end(struct leftover *l, int most_ms)
{
	spot_reset(&l->peer);
	spot_reset(&l->ours);
	fd_close(&l->listener);
	for (size_t i = 0; i < COUNT(l->elsewhere); i++)
		fd_close(&l->elsewhere[i]);
	if (l->port < 0)
		return 0;
	if (l->state == MATRIX_TIME_WAIT && l->peer_at.length)
		return end_time_wait(l, most_ms);
	return sight_await_nothing(l->port, most_ms);
}
