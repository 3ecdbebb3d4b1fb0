/* The same cell, decided by socket/rule.h. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>

#include "matrix/spot.h"
#include "socket/rule.h"

/* As in words.c; there is none for the option of another system. */
static const unsigned reuse[MATRIX_OPTION_SETS] = {
	0, REUSE_ADDRESS, REUSE_PORT, REUSE_ADDRESS | REUSE_PORT,
};

static const enum rule_stage stages[MATRIX_STATES] = {
	[MATRIX_LISTEN] = RULE_LISTENING,
	[MATRIX_ESTABLISHED_LISTEN] = RULE_CONNECTED,
	[MATRIX_ESTABLISHED] = RULE_CONNECTED,
	[MATRIX_CLOSE_WAIT] = RULE_CONNECTED,
	[MATRIX_FIN_WAIT_1] = RULE_CONNECTED,
	[MATRIX_FIN_WAIT_2] = RULE_MINIMAL,
	[MATRIX_CLOSING] = RULE_CONNECTED,
	[MATRIX_LAST_ACK] = RULE_CONNECTED,
	[MATRIX_TIME_WAIT] = RULE_MINIMAL,
	[MATRIX_CONNECTED] = RULE_CONNECTED,
	[MATRIX_CONNECTED_SAME] = RULE_CONNECTED,
};

static struct rule_socket as(const struct matrix_socket *s, enum matrix_address address,
			     enum rule_stage stage)
{
	struct spot p = spot_of(s->kind, address, 0);

	return (struct rule_socket){
		.claim = claim_of(SPOT(&p), s->kind == MATRIX_IPV6),
		.options = reuse[s->options],
		.stage = stage,
	};
}

int matrix_expected(const struct matrix_cell *cell)
{
	struct rule_socket second = as(&cell->second, cell->second.address, RULE_LISTENING);
	/* Whatever a listener listened at, its connection was to the specific address. */
	struct rule_socket connection = as(&cell->first, MATRIX_SPECIFIC, stages[cell->state]);
	struct rule_socket listener = as(&cell->first, cell->first.address, RULE_LISTENING);
	int result = 0;

	if (cell->state == MATRIX_LISTEN || cell->state == MATRIX_ESTABLISHED_LISTEN)
		result = rule_bind(&rule_linux, &listener, &second);
	if (!result && cell->state != MATRIX_LISTEN)
		result = rule_bind(&rule_linux, &connection, &second);
	if (!result && cell->state == MATRIX_CONNECTED_SAME)
		return EADDRNOTAVAIL;	/* connect(2): there is that connection already */
	return result;
}
