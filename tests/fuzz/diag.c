/* What the kernel answers about sockets: any bytes give sockets that hold what they
 * may.  A first byte 'l' is lines of /proc/net/tcp, '6' of tcp6; else netlink. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/diag_read.h"
#include "platform/linux/mptcp.h"
#include "platform/linux/sock_diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void check(const struct bound *b)
{
	struct claim c = bound_claim(b);

	must(b->local.ss_family == AF_INET || b->local.ss_family == AF_INET6);
	must(b->state >= TCP_ESTABLISHED && b->state <= TCP_CLOSING);
	must(b->ends_ms >= -1);
	must(c.v4 != CLAIM_NONE || c.v6 != CLAIM_NONE);
}

/* Each is taken for a subflow of what they say of MPTCP. */
static int on_message(const struct nlmsghdr *head, void *ctx)
{
	struct bound b;
	const struct inet_diag_msg *m = diag_read_inet(head, &b);

	if (!m)
		return MNL_CB_OK;
	check(&b);
	mptcp_left_correct(ctx, m, &b);
	check(&b);
	return MNL_CB_OK;
}

static void read_messages(const char *bytes, size_t size)
{
	struct mptcp_left left = { 0 };

	(void)sock_diag_read(bytes, size, 0, mptcp_left_see, &left);
	(void)sock_diag_read(bytes, size, 0, on_message, &left);
	mptcp_left_fini(&left);
}

static void read_lines(char *text, bool v6)
{
	char *rest, *line = strtok_r(text, "\n", &rest);
	struct bound b;

	for (; line; line = strtok_r(NULL, "\n", &rest))
		if (diag_read_line(line, v6, &b))
			check(&b);
}

/* In memory of its own, aligned as what recv(2) fills, so that a step beyond is seen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (!size)
		return 0;
	copy = calloc(1, size);
	memcpy(copy, data + 1, size - 1);
	if (data[0] == 'l' || data[0] == '6')
		read_lines(copy, data[0] == '6');
	else
		read_messages(copy, size - 1);
	free(copy);
	return 0;
}
