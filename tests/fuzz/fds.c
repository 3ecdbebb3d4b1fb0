/* Descriptors that others pass to us, as many and of whatever kind: each is kept
 * where it may be, and none is left open.
 *
 * The first byte chooses the way: over a worker's notify socket into the store of its
 * program, over the channel between keeper and manager, or by LISTEN_FDS from who
 * started us.  The rest is messages: how many descriptors, which kinds, how much
 * text, the text. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/owner.h"
#include "health/notify.h"
#include "keeper/channel.h"
#include "process/fd_store.h"
#include "socket/inherit.h"
#include "socket/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIRST = 3, NUMBERS = 600, AT_ONCE = 253 /* SCM_MAX_FD */ };

struct input {
	const uint8_t *bytes;
	size_t left;
};

struct message {
	uint8_t count, kinds;
	char text[1024];
	size_t length;
};

static void must(int holds)
{
	if (!holds)
		abort();
}

static uint8_t next(struct input *in)
{
	return in->left ? (in->left--, *in->bytes++) : 0;
}

static struct message next_message(struct input *in)
{
	struct message m = { .count = next(in) % (AT_ONCE + 1), .kinds = next(in) };
	size_t length = next(in) * 4u;

	m.length = length < in->left ? length : in->left;
	memcpy(m.text, in->bytes, m.length);
	in->bytes += m.length;
	in->left -= m.length;
	return m;
}

/* How many are open. */
static int open_now(void)
{
	int count = 0;

	for (int fd = FIRST; fd < NUMBERS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The fuzzer's own, and those of its symbolizer: a number that is open would be
 * taken for given. */
static void put_aside(int aside[NUMBERS])
{
	for (int fd = FIRST; fd < NUMBERS; fd++) {
		aside[fd] = fcntl(fd, F_DUPFD_CLOEXEC, NUMBERS + FIRST);
		(void)close(fd);
	}
}

static void put_back(const int aside[NUMBERS])
{
	for (int fd = FIRST; fd < NUMBERS; fd++) {
		if (aside[fd] < 0)
			continue;
		(void)dup3(aside[fd], fd, O_CLOEXEC);
		(void)close(aside[fd]);
	}
}

/* Kinds of descriptors */

static int half_of(int r, int ends[2])
{
	if (r < 0)
		return -1;
	(void)close(ends[1]);
	return ends[0];
}

static int hung_up_pipe(void)
{
	int ends[2];

	return half_of(pipe(ends), ends);
}

static int hung_up_socket(void)
{
	int ends[2];

	return half_of(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ends);
}

static int bound(int family, int type)
{
	struct sockaddr_storage at = { .ss_family = (sa_family_t)family };
	int fd = socket(family, type, 0);

	if (family == AF_INET)
		((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)bind(fd, (struct sockaddr *)&at,
		   family == AF_UNIX ? sizeof(sa_family_t) : sizeof(struct sockaddr_in));
	return fd;
}

static int listening(void)
{
	int fd = bound(AF_UNIX, SOCK_STREAM);

	(void)listen(fd, 1);
	return fd;
}

static int of_kind(unsigned kind)
{
	switch (kind % 10) {
	case 0: return memfd_create("fuzz", 0);
	case 1: return hung_up_pipe();
	case 2: return hung_up_socket();
	case 3: return open("/dev/null", O_RDONLY);
	case 4: return open("/", O_RDONLY | O_DIRECTORY);
	case 5: return epoll_create1(0);
	case 6: return eventfd(0, 0);
	case 7: return listening();
	case 8: return bound(AF_INET, SOCK_DGRAM);
	default: return socket(AF_INET6, SOCK_STREAM, 0);
	}
}

static size_t make(const struct message *m, int fds[AT_ONCE])
{
	size_t count = 0;

	for (unsigned i = 0; i < m->count; i++) {
		bool again = m->kinds & 0x80 && count;	/* the same file twice */
		int fd = again ? dup(fds[0]) : of_kind(m->kinds + i * (m->kinds & 1));

		if (fd >= 0)
			fds[count++] = fd;
	}
	return count;
}

/* Passed on and closed here: the receiver's are the only ones. */
static void pass(int socket_fd, const void *bytes, size_t length, const struct message *m)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(AT_ONCE * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
	struct msghdr h = { .msg_iov = &part, .msg_iovlen = 1 };
	int fds[AT_ONCE];
	size_t count = make(m, fds);

	if (count) {
		struct cmsghdr *c;

		h.msg_control = &control;
		h.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&h);
		*c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
				       .cmsg_len = CMSG_LEN(count * sizeof(int)) };
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	(void)sendmsg(socket_fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
}

/* A worker's notify socket */

struct program {
	struct notify notify;
	struct fd_store kept;
};

static void on_notify(struct notify *n, struct notify_message *m)
{
	struct program *p = OWNER(n, struct program, notify);

	must(m->fd_count <= AT_ONCE);
	for (size_t i = 0; i < m->fd_count; i++)
		must(fcntl(m->fds[i], F_GETFD) == FD_CLOEXEC);
	if (m->store_remove)
		fd_store_remove(&p->kept, m->fd_name);
	for (size_t i = 0; m->store && i < m->fd_count; i++)
		(void)fd_store_put(&p->kept, m->fd_name, &m->fds[i], !m->store_unwatched);
	must(p->kept.count <= FD_STORE_MOST);
}

static void by_notify(struct input *in, struct loop *loop)
{
	struct program p = { .notify.on = on_notify };
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	p.notify.fd = ends[0];
	fd_store_init(&p.kept, loop);
	while (in->left) {
		struct message m = next_message(in);

		pass(ends[1], m.text, m.length, &m);
		while (notify_drain(&p.notify))
			;
	}
	fd_store_clear(&p.kept);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Between keeper and manager */

static void by_channel(struct input *in)
{
	struct channel_message sent, got;
	struct err err;
	int ends[2], fd = -1;

	must(channel_open(ends, &err) == 0);
	while (in->left) {
		struct message m = next_message(in);
		size_t length = m.kinds & 1 ? sizeof(sent) : m.length + 1;

		memset(&sent, 'x', sizeof(sent));	/* a text without its end, too */
		memcpy(&sent, m.text, m.length < sizeof(sent) ? m.length : sizeof(sent));
		m.count %= 5;
		pass(ends[1], &sent, length < sizeof(sent) ? length : sizeof(sent), &m);
		while (channel_receive(ends[0], &got, &fd) > 0) {
			must(memchr(got.text, '\0', sizeof(got.text)) != NULL);
			must(fd < 0 || fcntl(fd, F_GETFD) == FD_CLOEXEC);
			fd_close(&fd);
		}
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* From who started us */

static void on_changed(struct held *h, void *ctx)
{
	(void)h;
	(void)ctx;
}

/* "LISTEN_FDS\nLISTEN_FDNAMES", where the number may be any text. */
static void by_environment(struct input *in)
{
	struct message m = next_message(in);
	char *names = memchr(m.text, '\n', m.length), pid[16];
	struct inherited inherited;
	struct store store;
	struct loop *loop;
	struct err err;
	int fds[AT_ONCE];

	m.count %= 32;
	(void)make(&m, fds);
	m.text[m.length < sizeof(m.text) ? m.length : sizeof(m.text) - 1] = '\0';
	if (names)
		*names++ = '\0';
	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	inherited_note(pid, m.text, names, getpid(), &inherited);
	must(inherited.count == inherited.names.count);
	for (int fd = FIRST; fd < NUMBERS; fd++) {		/* what it was not told of */
		bool noted = false;

		for (size_t i = 0; i < inherited.count; i++)
			noted = noted || inherited.fds[i] == fd;
		if (!noted)
			(void)close(fd);
	}
	loop = loop_new(&err);
	must(loop != NULL);
	store_init(&store, loop, on_changed, NULL);
	inherited_give(&inherited, &store);
	store_close_given(&store);
	store_fini(&store);
	loop_free(loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct err err;
	struct loop *loop;
	uint8_t way = next(&in);
	int aside[NUMBERS];

	put_aside(aside);
	log_set_level(LOG_LEVEL_ERROR);
	if (way % 3 == 0) {
		loop = loop_new(&err);
		must(loop != NULL);
		by_notify(&in, loop);
		loop_free(loop);
	} else if (way % 3 == 1) {
		by_channel(&in);
	} else {
		by_environment(&in);
	}
	must(open_now() == 0);
	put_back(aside);
	return 0;
}
