/* Every state of TCP can be made, is what /proc/net says, and is taken away again. */
#include "socket_support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/owner.h"
#include "matrix/leftover.h"
#include "matrix/sight.h"

static const struct {
	enum matrix_state state;
	const char *in_proc;		/* states at the port, in hexadecimal */
} rows[] = {
	{ MATRIX_LISTEN, "0A" },	 { MATRIX_ESTABLISHED_LISTEN, "0A01" },
	{ MATRIX_ESTABLISHED, "01" },	 { MATRIX_CLOSE_WAIT, "08" },
	{ MATRIX_FIN_WAIT_1, "04" },	 { MATRIX_FIN_WAIT_2, "05" },
	{ MATRIX_CLOSING, "0B" },	 { MATRIX_LAST_ACK, "09" },
	{ MATRIX_TIME_WAIT, "06" },	 { MATRIX_CONNECTED, "01" },
	{ MATRIX_CONNECTED_SAME, "01" },
};

struct seen {
	char states[64];
	char ends[512];			/* of each socket in it */
};

/* A table is read piece by piece: while sockets come and go, the kernel may show one
 * of them again.  Its two ends tell. */
static void note(struct seen *s, const char *line, int port)
{
	char local[42], remote[42], state[3], both[96];

	if (sscanf(line, " %*u: %41[0-9A-F:] %41[0-9A-F:] %2s", local, remote, state) != 3 ||
	    strtol(strrchr(local, ':') + 1, NULL, 16) != port)
		return;
	(void)snprintf(both, sizeof(both), "%s-%s ", local, remote);
	if (strstr(s->ends, both))
		return;
	(void)snprintf(s->ends + strlen(s->ends), sizeof(s->ends) - strlen(s->ends), "%s", both);
	(void)snprintf(s->states + strlen(s->states), sizeof(s->states) - strlen(s->states), "%s",
		       state);
}

static void read_table(const char *path, int port, struct seen *s)
{
	FILE *in = fopen(path, "re");
	char line[512];

	while (in && fgets(line, sizeof(line), in))
		note(s, line, port);
	if (in)
		(void)fclose(in);
}

static const char *states_at(int port)
{
	static struct seen s;

	s = (struct seen){ .states = "" };
	read_table("/proc/net/tcp", port, &s);
	read_table("/proc/net/tcp6", port, &s);
	return s.states;
}

static void every_state_is_made_is_there_and_goes_away(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows) * MATRIX_KINDS; i++) {
		struct matrix_socket first = { .kind = (enum matrix_kind)(i % MATRIX_KINDS),
					       .address = MATRIX_SPECIFIC };
		struct leftover l;
		struct err err = { 0 };

		if (leftover_make(&l, rows[i / MATRIX_KINDS].state, &first, &err))
			fail_msg("%s: %s", matrix_state_word(l.state), err.text);
		assert_string_equal(states_at(l.port), rows[i / MATRIX_KINDS].in_proc);
		assert_int_equal(leftover_end(&l, PATIENCE_MS), 0);
		assert_string_equal(states_at(l.port), "");
	}
}

static void another_state_is_not_taken_for_it(void **state)
{
	struct matrix_socket first = { .kind = MATRIX_IPV4, .address = MATRIX_SPECIFIC };
	struct leftover l;
	struct err err;

	(void)state;
	assert_int_equal(leftover_make(&l, MATRIX_CLOSE_WAIT, &first, NULL), 0);
	assert_int_equal(sight_check(l.port, MATRIX_CLOSE_WAIT, &err), 0);
	assert_int_equal(sight_check(l.port, MATRIX_TIME_WAIT, &err), -1);
	assert_string_equal(err.text, "the state was not reached: the system shows CLOSE_WAIT");
	assert_int_equal(sight_check(l.port, MATRIX_LISTEN, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	assert_int_equal(leftover_end(&l, PATIENCE_MS), 0);
}

/* Bound to another address of the same port, it is in nobody's way but the
 * wildcard's: the cell would be about two sockets. */
static void a_stranger_at_the_port_is_noticed(void **state)
{
	struct matrix_socket first = { .kind = MATRIX_IPV4, .address = MATRIX_SPECIFIC };
	struct key key = key_for("127.0.0.9:1");
	struct leftover l;
	struct err err;
	int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(leftover_make(&l, MATRIX_ESTABLISHED, &first, NULL), 0);
	set_port(&key, l.port);
	assert_int_equal(bind(stranger, (struct sockaddr *)&key.address.sa, key.address.length), 0);
	assert_int_equal(listen(stranger, 1), 0);
	assert_int_equal(sight_check(l.port, MATRIX_ESTABLISHED, &err), -1);
	assert_int_equal(err.code, EADDRINUSE);
	fd_close(&stranger);
	assert_int_equal(sight_check(l.port, MATRIX_ESTABLISHED, &err), 0);
	assert_int_equal(leftover_end(&l, PATIENCE_MS), 0);
}

static void a_second_bind_changes_nothing(void **state)
{
	struct matrix_socket first = { .kind = MATRIX_IPV4, .address = MATRIX_WILDCARD,
				       .options = 1 };
	struct matrix_socket second = first;
	struct leftover l;

	(void)state;
	assert_int_equal(leftover_make(&l, MATRIX_FIN_WAIT_1, &first, NULL), 0);
	for (int i = 0; i < 3; i++) {
		second.options = 0;
		assert_int_equal(leftover_second(&l, &second, NULL), EADDRINUSE);
		second.options = 1;
		assert_int_equal(leftover_second(&l, &second, NULL), 0);
	}
	assert_int_equal(sight_check(l.port, MATRIX_FIN_WAIT_1, NULL), 0);
	assert_int_equal(leftover_end(&l, PATIENCE_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_is_made_is_there_and_goes_away),
		cmocka_unit_test(another_state_is_not_taken_for_it),
		cmocka_unit_test(a_stranger_at_the_port_is_noticed),
		cmocka_unit_test(a_second_bind_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
