#include "keeper/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/pass.h"

/* One that does not read for so long is stopped or lost. */
enum { PATIENCE_MS = 2000 };

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

	return poll(&p, 1, PATIENCE_MS) > 0;
}

int channel_send(int fd, enum channel_word word, int64_t number, int64_t other,
		 const char *text, int pass)
{
	struct channel_message message = { .version = CHANNEL_VERSION, .word = word,
					   .number = number, .other = other };
	struct iovec part = { .iov_base = &message, .iov_len = sizeof(message) };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	union pass_room room;
	size_t length = text ? strlen(text) : 0;

	if (length >= sizeof(message.text)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (length)
		memcpy(message.text, text, length);
	if (pass >= 0)
		pass_attach(&m, &room, pass);
	for (;;) {
		if (sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if ((errno != EAGAIN && errno != EINTR) || !has_room(fd))
			return -1;
	}
}

int channel_receive(int fd, struct channel_message *ret, int *ret_pass)
{
	ssize_t n = pass_receive(fd, ret, sizeof(*ret), ret_pass);

	/* The other side ended and left something unread: the kernel says so once, before
	 * what it had said itself (measured on 6.18). */
	if (n < 0 && errno == ECONNRESET)
		n = pass_receive(fd, ret, sizeof(*ret), ret_pass);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	/* Of another size: nothing that we know. */
	if (n != (ssize_t)sizeof(*ret))
		ret->word = 0;
	ret->text[CHANNEL_TEXT - 1] = '\0';
	return 1;
}
