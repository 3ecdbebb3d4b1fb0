#include "logs/order.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/pass.h"

static int outcome(ssize_t sent)
{
	if (sent >= 0)
		return 1;
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
}

int order_send(int fd, const struct order *o, int pass)
{
	size_t length = offsetof(struct order, path) + strlen(o->path) + 1;

	if (pass < 0)
		return outcome(send(fd, o, length, MSG_NOSIGNAL | MSG_DONTWAIT));
	return outcome(pass_send(fd, o, length, pass) == 0 ? 0 : -1);
}

int order_receive(int fd, struct order *ret, int *ret_fd)
{
	ssize_t n = pass_receive(fd, ret, sizeof(*ret), ret_fd);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n <= (ssize_t)offsetof(struct order, path)) {
		fd_close(ret_fd);
		return -1;
	}
	ret->origin[LOG_ORIGIN_SIZE - 1] = '\0';
	ret->path[LOG_PATH_SIZE - 1] = '\0';
	ret->target.path = ret->path;
	return 1;
}

int answer_send(int fd, const struct answer *a)
{
	size_t length = offsetof(struct answer, text) + strlen(a->text) + 1;

	return outcome(send(fd, a, length, MSG_NOSIGNAL | MSG_DONTWAIT));
}

int answer_receive(int fd, struct answer *ret)
{
	ssize_t n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n <= (ssize_t)offsetof(struct answer, text))
		return -1;
	ret->text[LOG_TEXT_SIZE - 1] = '\0';
	return 1;
}
