#include "platform/linux/sock_diag.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SEQUENCE 1	/* one request a socket */

static int send_request(struct mnl_socket *nl, int type, const void *request, size_t size,
			bool all)
{
	char *room = mem_new(MNL_NLMSG_HDRLEN + MNL_ALIGN(size));
	struct nlmsghdr *head = mnl_nlmsg_put_header(room);
	ssize_t sent;

	head->nlmsg_type = (uint16_t)type;
	/* An acknowledgement ends the answer about a single socket. */
	head->nlmsg_flags = NLM_F_REQUEST | (all ? NLM_F_DUMP : NLM_F_ACK);
	head->nlmsg_seq = SEQUENCE;
	memcpy(mnl_nlmsg_put_extra_header(head, size), request, size);
	sent = mnl_socket_sendto(nl, head, head->nlmsg_len);
	free(room);
	return sent < 0 ? -1 : 0;
}

/* libmnl 1.0.4 takes a length beyond INT_MAX for a negative one, and walks off. */
static bool is_whole(const char *bytes, size_t size)
{
	const struct nlmsghdr *head;

	while (size >= MNL_NLMSG_HDRLEN) {
		head = (const void *)bytes;
		if (head->nlmsg_len < MNL_NLMSG_HDRLEN || head->nlmsg_len > size)
			return false;
		bytes += MNL_ALIGN(head->nlmsg_len);
		size -= MNL_ALIGN(head->nlmsg_len) < size ? MNL_ALIGN(head->nlmsg_len) : size;
	}
	return true;
}

int sock_diag_read(const void *bytes, size_t size, unsigned port, mnl_cb_t cb, void *ctx)
{
	if (is_whole(bytes, size))
		return mnl_cb_run(bytes, size, port ? SEQUENCE : 0, port, cb, ctx);
	errno = EPROTO;
	return -1;
}

static int receive(struct mnl_socket *nl, mnl_cb_t cb, void *ctx)
{
	char room[32768];
	ssize_t n;
	int rc;

	do {
		n = mnl_socket_recvfrom(nl, room, sizeof(room));
		if (n < 0 && errno == EINTR)
			continue;
		rc = n < 0 ? -1 : sock_diag_read(room, (size_t)n,
						 mnl_socket_get_portid(nl), cb, ctx);
	} while (n < 0 ? errno == EINTR : rc > MNL_CB_STOP);
	return rc;
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int why;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0)
		return nl;
	why = errno;
	(void)mnl_socket_close(nl);
	errno = why;
	return NULL;
}

int sock_diag_ask(const void *request, size_t size, bool all, mnl_cb_t cb, void *ctx,
		  struct err *err)
{
	struct mnl_socket *nl = open_socket();
	int rc = -1, why;

	if (nl && send_request(nl, SOCK_DIAG_BY_FAMILY, request, size, all) == 0)
		rc = receive(nl, cb, ctx);
	why = errno;
	if (nl)
		(void)mnl_socket_close(nl);
	return rc < 0 ? err_sys(err, why, "cannot ask the kernel about its sockets") : 0;
}

int sock_diag_destroy(const struct inet_diag_req_v2 *which, size_t count, struct err *err)
{
	struct mnl_socket *nl = open_socket();
	int ended = 0, why = nl ? 0 : errno;

	for (size_t i = 0; i < count && !why; i++) {
		if (send_request(nl, SOCK_DESTROY, &which[i], sizeof(which[i]), false) == 0 &&
		    receive(nl, NULL, NULL) >= 0)
			ended++;
		else if (errno != ENOENT)
			why = errno;
	}
	if (nl)
		(void)mnl_socket_close(nl);
	return why ? err_sys(err, why, "cannot end a connection") : ended;
}
