#include "platform/linux/sock_diag.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SEQUENCE 1	/* one request a socket */

static int send_request(struct mnl_socket *nl, const void *request, size_t size, bool all)
{
	char *room = mem_new(MNL_NLMSG_HDRLEN + MNL_ALIGN(size));
	struct nlmsghdr *head = mnl_nlmsg_put_header(room);
	ssize_t sent;

	head->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	/* An acknowledgement ends the answer about a single socket. */
	head->nlmsg_flags = NLM_F_REQUEST | (all ? NLM_F_DUMP : NLM_F_ACK);
	head->nlmsg_seq = SEQUENCE;
	memcpy(mnl_nlmsg_put_extra_header(head, size), request, size);
	sent = mnl_socket_sendto(nl, head, head->nlmsg_len);
	free(room);
	return sent < 0 ? -1 : 0;
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
		rc = n < 0 ? -1 : mnl_cb_run(room, (size_t)n, SEQUENCE,
					     mnl_socket_get_portid(nl), cb, ctx);
	} while (n < 0 ? errno == EINTR : rc > MNL_CB_STOP);
	return rc;
}

int sock_diag_ask(const void *request, size_t size, bool all, mnl_cb_t cb, void *ctx,
		  struct err *err)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int rc = -1, why;

	if (nl && mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    send_request(nl, request, size, all) == 0)
		rc = receive(nl, cb, ctx);
	why = errno;
	if (nl)
		(void)mnl_socket_close(nl);
	return rc < 0 ? err_sys(err, why, "cannot ask the kernel about its sockets") : 0;
}
