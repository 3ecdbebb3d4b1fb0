/* A question about several ports at once: a filter in the kernel. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/linux/sock_diag.h"

/* The kernel checks a filter in the square of its length. */
enum { PORTS_MOST = 512 };

static int by_port(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return *x - *y;
}

/* Each once, in their order; how many. */
static size_t put_in_order(uint16_t *ports, size_t count)
{
	size_t kept = 0;

	qsort(ports, count, sizeof(*ports), by_port);
	for (size_t i = 0; i < count; i++)
		if (!kept || ports[kept - 1] != ports[i])
			ports[kept++] = ports[i];
	return kept;
}

static uint16_t bytes(const struct inet_diag_bc_op *from, const struct inet_diag_bc_op *to)
{
	return (uint16_t)((const char *)to - (const char *)from);
}

/* "Is it this port?"  Being at the end is yes, being beyond it is no. */
static struct inet_diag_bc_op *add_port(struct inet_diag_bc_op *at,
					const struct inet_diag_bc_op *end, int32_t port)
{
	at[0] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_S_COND, .yes = bytes(at, at + 3),
					  .no = (uint16_t)(bytes(at, end) + 4) };
	/* struct inet_diag_hostcond: of any family, without an address. */
	at[1] = (struct inet_diag_bc_op){ 0 };
	memcpy(&at[2], &port, sizeof(port));
	at[3] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_JMP, .yes = sizeof(*at),
					  .no = bytes(at + 3, end) };
	return at + 4;
}

/* A search by halves: the upper one follows, the lower one behind that. */
static struct inet_diag_bc_op *add_ports(struct inet_diag_bc_op *at,
					 const struct inet_diag_bc_op *end,
					 const uint16_t *ports, size_t count)
{
	struct inet_diag_bc_op *lower;

	if (count == 1)
		return add_port(at, end, ports[0]);
	lower = add_ports(at + 2, end, ports + count / 2, count - count / 2);
	at[0] = (struct inet_diag_bc_op){ .code = INET_DIAG_BC_S_GE, .yes = bytes(at, at + 2),
					  .no = bytes(at, lower) };
	at[1] = (struct inet_diag_bc_op){ .no = ports[count / 2] };
	return add_ports(lower, end, ports, count / 2);
}

/* One port is asked for as such, several by a filter, too many not at all. */
int sock_diag_ask_ports(struct inet_diag_req_v2 *r, uint16_t *ports, size_t count, mnl_cb_t cb,
			void *ctx, struct err *err)
{
	size_t kept = put_in_order(ports, count);
	size_t steps = kept > 1 && kept <= PORTS_MOST ? 6 * kept - 2 : 0;
	size_t size = sizeof(*r) + (steps ? sizeof(struct nlattr) : 0) +
		      steps * sizeof(struct inet_diag_bc_op);
	char *request = mem_new(size);
	struct nlattr *filter = (void *)(request + sizeof(*r));
	int rc;

	r->id.idiag_sport = kept == 1 ? htons(ports[0]) : 0;
	memcpy(request, r, sizeof(*r));
	if (steps) {
		struct inet_diag_bc_op *first = (void *)(filter + 1);

		*filter = (struct nlattr){ .nla_type = INET_DIAG_REQ_BYTECODE,
					   .nla_len = (uint16_t)(size - sizeof(*r)) };
		(void)add_ports(first, first + steps, ports, kept);
	}
	rc = sock_diag_ask(request, size, true, cb, ctx, err);
	free(request);
	return rc;
}
