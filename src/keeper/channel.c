#include "keeper/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/pass.h"

int64_t channel_end(const struct process_end *end)
{
	return end->code | end->signal << 8 | end->core << 16;
}

struct process_end channel_end_read(int64_t number)
{
	return (struct process_end){ .code = (int)(number & 0xff),
				     .signal = (int)(number >> 8 & 0xff),
				     .core = number >> 16 & 1 };
}

int channel_open(int ret[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return err_sys(err, errno, "cannot make a channel between keeper and manager");
	return 0;
}

static bool has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, CHANNEL_PATIENCE_MS) > 0;
}

static int say_at_once(int fd, const struct channel_message *m, const int *fds, size_t count)
{
	struct iovec part = { (void *)(uintptr_t)m, sizeof(*m) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union pass_room room;

	if (count)
		pass_attach(&message, &room, fds, count);
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

static int say(int fd, const struct channel_message *m, const int *fds, size_t count)
{
	while (say_at_once(fd, m, fds, count) < 0)
		if ((errno != EAGAIN && errno != EINTR) || !has_room(fd))
			return -1;
	return 0;
}

static int write_message(struct channel_message *ret, enum channel_word word, int64_t number,
			 int64_t other, const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length >= sizeof(ret->text)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	*ret = (struct channel_message){ .version = CHANNEL_VERSION, .word = word,
					 .number = number, .other = other };
	if (length)
		memcpy(ret->text, text, length);
	return 0;
}

int channel_send(int fd, enum channel_word word, int64_t number, int64_t other,
		 const char *text, int pass)
{
	struct channel_message m;

	return write_message(&m, word, number, other, text) < 0 ? -1 : say(fd, &m, &pass, pass >= 0);
}

int channel_send_at_once(int fd, enum channel_word word, int64_t number, const char *text,
			 int pass)
{
	struct channel_message m;

	return write_message(&m, word, number, 0, text) < 0 ? -1 : say_at_once(fd, &m, &pass, pass >= 0);
}

int channel_send_bundle(int fd, struct channel_bundle *b)
{
	struct channel_message m = { .version = CHANNEL_VERSION, .word = CHANNEL_GIVE_MANY,
				     .number = (int64_t)b->count };
	size_t count = b->count;

	b->count = 0;
	memcpy(m.items, b->items, count * sizeof(*b->items));
	return count ? say(fd, &m, b->fds, count) : 0;
}

int channel_send_pids(int fd, const struct channel_pids *p)
{
	struct channel_message m = { .version = CHANNEL_VERSION, .word = CHANNEL_FOSTER,
				     .number = (int64_t)p->count };

	memcpy(m.pids, p->pids, p->count * sizeof(*p->pids));
	return say_at_once(fd, &m, NULL, 0);
}

static bool has_room_for_all(const struct channel_message *m)
{
	return m->word != CHANNEL_FOSTER || (m->number >= 0 && m->number <= CHANNEL_PIDS);
}

int channel_receive_many(int fd, struct channel_message *ret, int ret_fds[CHANNEL_MANY],
			 size_t *ret_count)
{
	ssize_t n = pass_receive_all(fd, ret, sizeof(*ret), ret_fds, CHANNEL_MANY, ret_count);

	/* The other side ended and left something unread: the kernel says so once, before
	 * what it had said itself (measured on 6.18). */
	if (n < 0 && errno == ECONNRESET)
		n = pass_receive_all(fd, ret, sizeof(*ret), ret_fds, CHANNEL_MANY, ret_count);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	/* Of another size: nothing that we know. */
	if (n != (ssize_t)sizeof(*ret) || !has_room_for_all(ret))
		ret->word = 0;
	ret->text[CHANNEL_TEXT - 1] = '\0';
	return 1;
}

int channel_receive(int fd, struct channel_message *ret, int *ret_pass)
{
	int fds[CHANNEL_MANY];
	size_t count;
	int got = channel_receive_many(fd, ret, fds, &count);

	*ret_pass = count ? fds[0] : -1;
	for (size_t i = 1; i < count; i++)
		(void)close(fds[i]);
	return got;
}
