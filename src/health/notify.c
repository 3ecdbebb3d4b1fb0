#include "health/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"

/* A flood is read in portions, so that it delays nobody but its sender.  So many
 * descriptors are as much work as one message more. */
enum { MESSAGES_A_TURN = 16, FDS_A_MESSAGE = 16 };
enum { MESSAGE_SIZE = 4096, FDS_MOST = 253 /* SCM_MAX_FD, unix(7) */ };

struct value {
	const char *text;
	size_t length;
};

static bool is(struct value v, const char *word)
{
	return v.length == strlen(word) && memcmp(v.text, word, v.length) == 0;
}

/* Digits and nothing else. */
static bool read_number(struct value v, uint64_t most, uint64_t *ret)
{
	uint64_t n = 0;

	if (!v.length)
		return false;
	for (size_t i = 0; i < v.length; i++) {
		unsigned digit = (unsigned)(v.text[i] - '0');

		if (digit > 9 || n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*ret = n;
	return true;
}

static void set_ready(struct notify_message *m, struct value v)
{
	m->ready = m->ready || is(v, "1");
}

static void set_reloading(struct notify_message *m, struct value v)
{
	m->reloading = m->reloading || is(v, "1");
}

static void set_stopping(struct notify_message *m, struct value v)
{
	m->stopping = m->stopping || is(v, "1");
}

static void set_barrier(struct notify_message *m, struct value v)
{
	m->barrier = m->barrier || is(v, "1");
}

static void set_restart_reset(struct notify_message *m, struct value v)
{
	m->restart_reset = m->restart_reset || is(v, "1");
}

static void set_status(struct notify_message *m, struct value v)
{
	size_t length = v.length < sizeof(m->status) ? v.length : sizeof(m->status) - 1;

	/* Not in the middle of a character of UTF-8. */
	while (length < v.length && length && ((unsigned char)v.text[length] & 0xc0) == 0x80)
		length--;
	memcpy(m->status, v.text, length);
	m->status[length] = '\0';
	m->has_status = true;
}

static void set_error(struct notify_message *m, struct value v)
{
	uint64_t n;

	if (!read_number(v, 4095, &n))	/* MAX_ERRNO of Linux */
		return;
	m->has_error = true;
	m->error = (int)n;
}

static void set_monotonic(struct notify_message *m, struct value v)
{
	m->has_monotonic = read_number(v, UINT64_MAX, &m->monotonic_usec) || m->has_monotonic;
}

static void set_extend(struct notify_message *m, struct value v)
{
	(void)read_number(v, UINT64_MAX, &m->extend_usec);
}

static void set_main_pid(struct notify_message *m, struct value v)
{
	uint64_t n;

	if (read_number(v, INT32_MAX, &n))
		m->main_pid = (pid_t)n;
}

static void set_main_pidfd_id(struct notify_message *m, struct value v)
{
	(void)read_number(v, UINT64_MAX, &m->main_pidfd_id);
}

static void set_main_pidfd(struct notify_message *m, struct value v)
{
	m->main_pidfd = m->main_pidfd || is(v, "1");
}

static void set_watchdog(struct notify_message *m, struct value v)
{
	m->ping = m->ping || is(v, "1");
	m->trigger = m->trigger || is(v, "trigger");
}

static void set_watchdog_usec(struct notify_message *m, struct value v)
{
	m->has_watchdog = read_number(v, UINT64_MAX, &m->watchdog_usec) || m->has_watchdog;
}

static void set_store(struct notify_message *m, struct value v)
{
	m->store = m->store || is(v, "1");
}

static void set_store_remove(struct notify_message *m, struct value v)
{
	m->store_remove = m->store_remove || is(v, "1");
}

static void set_poll(struct notify_message *m, struct value v)
{
	m->store_unwatched = m->store_unwatched || is(v, "0");
}

/* LISTEN_FDNAMES separates names by colons (sd_listen_fds(3)). */
static void set_fd_name(struct notify_message *m, struct value v)
{
	if (v.length >= sizeof(m->fd_name))
		return;
	for (size_t i = 0; i < v.length; i++)
		if (v.text[i] <= ' ' || v.text[i] > '~' || v.text[i] == ':')
			return;
	memcpy(m->fd_name, v.text, v.length);
	m->fd_name[v.length] = '\0';
}

static const struct {
	const char *name;
	void (*set)(struct notify_message *m, struct value v);
} fields[] = {
	{ "READY=", set_ready },
	{ "RELOADING=", set_reloading },
	{ "MONOTONIC_USEC=", set_monotonic },
	{ "STOPPING=", set_stopping },
	{ "STATUS=", set_status },
	{ "ERRNO=", set_error },
	{ "EXTEND_TIMEOUT_USEC=", set_extend },
	{ "BARRIER=", set_barrier },
	{ "WATCHDOG=", set_watchdog },
	{ "WATCHDOG_USEC=", set_watchdog_usec },
	{ "MAINPID=", set_main_pid },
	{ "MAINPIDFDID=", set_main_pidfd_id },
	{ "MAINPIDFD=", set_main_pidfd },
	{ "FDSTORE=", set_store },
	{ "FDSTOREREMOVE=", set_store_remove },
	{ "FDNAME=", set_fd_name },
	{ "FDPOLL=", set_poll },
	{ "RESTART_RESET=", set_restart_reset },
};

static void parse_line(const char *line, size_t length, struct notify_message *m)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		size_t name = strlen(fields[i].name);

		if (length >= name && memcmp(line, fields[i].name, name) == 0)
			fields[i].set(m, (struct value){ line + name, length - name });
	}
}

void notify_parse(const char *bytes, size_t length, struct notify_message *ret)
{
	*ret = (struct notify_message){ 0 };
	while (length) {
		const char *end = memchr(bytes, '\n', length);
		size_t line = end ? (size_t)(end - bytes) : length;

		parse_line(bytes, line, ret);
		line += end ? 1 : 0;
		bytes += line;
		length -= line;
	}
}

static size_t take_fds(struct msghdr *message, int fds[FDS_MOST])
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t size = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds + count, CMSG_DATA(c), size);
		count += size / sizeof(int);
	}
	return count;
}

/* How much work it was; 0: there is none. */
static size_t hear_one(struct notify *n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_MOST * sizeof(int))];
	} control;
	char bytes[MESSAGE_SIZE];
	int fds[FDS_MOST];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct notify_message m;
	ssize_t length = recvmsg(n->fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	size_t count;

	if (length < 0)
		return 0;
	notify_parse(bytes, (size_t)length, &m);
	m.fds = fds;
	m.fd_count = count = take_fds(&message, fds);
	n->on(n, &m);
	for (size_t i = 0; i < count; i++)
		fd_drop(&fds[i]);
	(void)recv(n->fd, NULL, 0, MSG_DONTWAIT);
	return 1 + count / FDS_A_MESSAGE;
}

bool notify_drain(struct notify *n)
{
	for (size_t done = 0, one; done < MESSAGES_A_TURN; done += one)
		if (n->fd < 0 || !(one = hear_one(n)))
			return false;
	return true;
}

static void on_readable(struct loop_io *io, int events)
{
	(void)events;
	(void)notify_drain(OWNER(io, struct notify, io));
}

int notify_open(struct notify *n, struct loop *loop, const char *path, uid_t user,
		void (*on)(struct notify *n, struct notify_message *m), struct err *err)
{
	int fd = platform_own_socket(path, SOCK_DGRAM, 0600, err);

	if (fd < 0)
		return err_in(err, "notification");
	if (user != (uid_t)-1 && chown(path, user, (gid_t)-1) < 0) {
		(void)err_sys(err, errno, "cannot give the notify socket %s to its worker", path);
		fd_close(&fd);
		(void)unlink(path);
		return -1;
	}
	notify_go_on(n, loop, fd, path, on);
	return 0;
}

void notify_go_on(struct notify *n, struct loop *loop, int fd, const char *path,
		  void (*on)(struct notify *n, struct notify_message *m))
{
	*n = (struct notify){ .fd = fd, .path = mem_text(path), .on = on };
	if (fd >= 0)
		loop_io_start(loop, &n->io, fd, LOOP_READ, on_readable);
}

void notify_close(struct notify *n)
{
	if (!n->path)
		return;
	loop_io_close(&n->io, &n->fd);
	(void)unlink(n->path);
	free(n->path);
	n->path = NULL;
}
