/* What a reload will do, from two files. */
#include "config_case.h"

#include "base/str.h"
#include "rollout/plan.h"
#include "rollout/program.h"

/* "socket add a; program keep p" of the plan from one text to the other. */
static char *plan_text(const char *before, const char *after, int *ret_check)
{
	struct settings *was = case_good(before), *now = case_good(after);
	struct store store;
	struct rollout r = { .store = &store };
	struct str text = { 0 };
	struct plan plan;
	struct err err;

	store_init(&store, NULL, NULL, NULL);
	list_init(&r.programs);
	for (size_t i = 0; i < was->program_count; i++) {
		struct means *m = means_new(was, was->programs[i], &store);

		(void)program_new(&r, m);
		means_unref(m);
	}
	plan_make(was, now, &r, &plan);
	for (size_t i = 0; i < plan.count; i++)
		str_addf(&text, "%s%s %s %s", i ? "; " : "",
			 plan.steps[i].is_socket ? "socket" : "program",
			 plan_action_word(plan.steps[i].action), plan.steps[i].name);
	*ret_check = plan_check(&plan, true, &err);
	plan_fini(&plan);
	list_each_safe(p, &r.programs, struct program, node)
		program_free(p);
	settings_unref(was);
	settings_unref(now);
	return str_take(&text);
}

#define SOCKET(name, listen) "[socket:" name "]\nlisten = " listen "\n"
#define PROGRAM(name, more) "[program:" name "]\ncommand = /bin/true\n" more "\n"

static const struct row {
	const char *sentence, *before, *after, *plan;
	int check;
} rows[] = {
	{ "nothing differs", SOCKET("a", "127.0.0.1:1001") PROGRAM("p", "sockets = a"),
	  SOCKET("a", "127.0.0.1:1001") PROGRAM("p", "sockets = a"),
	  "socket keep a; program keep p", 0 },
	{ "a section's name is no part of what is held", SOCKET("a", "127.0.0.1:1001"),
	  SOCKET("b", "127.0.0.1:1001"), "socket keep b", 0 },
	{ "another port is another socket, and restarts who is given it",
	  SOCKET("a", "127.0.0.1:1001") PROGRAM("p", "sockets = a"),
	  SOCKET("a", "127.0.0.1:1002") PROGRAM("p", "sockets = a"),
	  "socket add a; socket remove a; program restart p", 0 },
	{ "a live option is taken over", SOCKET("a", "127.0.0.1:1001\nbacklog = 5"),
	  SOCKET("a", "127.0.0.1:1001\nbacklog = 6"), "socket live a", 0 },
	{ "what only bind can change is bound anew, and who is given it restarts",
	  SOCKET("a", "[::1]:1001") PROGRAM("p", "sockets = a"),
	  SOCKET("a", "[::1]:1001\nfree_bind = yes") PROGRAM("p", "sockets = a"),
	  "socket rebind a; program restart p", 0 },
	{ "what bind does not care about is not", SOCKET("a", "[::1]:1001\nipv6_only = auto"),
	  SOCKET("a", "[::1]:1001\nipv6_only = yes"), "socket live a", 0 },
	{ "an option that means nothing for a path is not either",
	  SOCKET("a", "unix:/tmp/a"), SOCKET("a", "unix:/tmp/a\nexclusive = yes"),
	  "socket live a", 0 },
	{ "wider is an overlap, never remove and add", SOCKET("a", "127.0.0.1:1001"),
	  SOCKET("a", "*:1001"), "socket rebind a; socket remove a", 0 },
	{ "narrower is one too, for each of the new ones", SOCKET("a", "*:1001"),
	  SOCKET("a", "127.0.0.1:1001, 127.0.0.2:1001"),
	  "socket rebind a; socket rebind a; socket remove a", 0 },
	{ "multipath is another protocol at the same address", SOCKET("a", "127.0.0.1:1001"),
	  SOCKET("a", "127.0.0.1:1001\nmptcp = yes"), "socket rebind a; socket remove a", 0 },
	{ "beside one that stays nothing is bound anew", SOCKET("a", "127.0.0.1:1001"),
	  SOCKET("a", "127.0.0.1:1001") SOCKET("b", "*:1001"), "socket keep a; socket add b", 0 },
	{ "a group takes the place of one, and is taken its place by one",
	  SOCKET("a", "127.0.0.1:1001") SOCKET("b", "127.0.0.1:1002\nreuse_port = yes")
	  PROGRAM("p", "sockets = a, b"),
	  SOCKET("a", "127.0.0.1:1001\nreuse_port = yes") SOCKET("b", "127.0.0.1:1002")
	  PROGRAM("p", "sockets = a, b"),
	  "socket rebind a; socket rebind b; program restart p", 0 },
	{ "a group of datagrams does not",
	  SOCKET("a", "127.0.0.1:1001\ntype = datagram") PROGRAM("p", "sockets = a"),
	  SOCKET("a", "127.0.0.1:1001\ntype = datagram\nreuse_port = yes")
	  PROGRAM("p", "sockets = a"),
	  "socket rebind a; program restart p", -1 },
	{ "a path of another type is refused", SOCKET("a", "unix:/tmp/a"),
	  SOCKET("a", "unix:/tmp/a\ntype = datagram"), "socket rebind a; socket remove a", -1 },
	{ "a command needs a new generation", PROGRAM("p", "workers = 1"),
	  "[program:p]\ncommand = /bin/false\nworkers = 1\n", "program restart p", 0 },
	{ "a stop ladder does not", PROGRAM("p", "stop = TERM:1s KILL"),
	  PROGRAM("p", "stop = TERM:2s KILL"), "program live p", 0 },
	{ "programs come and go", PROGRAM("p", "") PROGRAM("q", ""),
	  PROGRAM("q", "") PROGRAM("r", ""), "program keep q; program add r; program remove p", 0 },
};

static void each_row_is_the_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int check;
		char *text = plan_text(rows[i].before, rows[i].after, &check);

		print_message("%s\n", rows[i].sentence);
		assert_string_equal(text, rows[i].plan);
		assert_int_equal(check, rows[i].check);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_the_plan),
	};

	return cmocka_run_group_tests(tests, case_begin, case_end);
}
