/* What is shown of the supervisor's answers: tables, sentences, exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cli/event_text.c"
#include "cli/leaving.c"
#include "cli/outcome.c"
#include "cli/output.c"
#include "cli/refusal.c"
#include "cli/sockets_text.c"
#include "cli/status_text.c"
#include "cli/table.c"

static json_t *from(const char *text)
{
	json_t *j = json_loads(text, JSON_ALLOW_NUL, NULL);

	assert_non_null(j);
	return j;
}

static void columns_fit_and_empty_ones_vanish(void **state)
{
	static const char *const names[] = { "NAME", "N", "NOTHING", "TEXT" };
	struct table t;
	struct str out = { 0 };

	(void)state;
	table_head(&t, "lrrl", names);
	table_text(&t, PAINT_NONE, "größer");
	table_format(&t, "%d", 100);
	table_text(&t, PAINT_NONE, NULL);
	table_text(&t, PAINT_NONE, NULL);
	table_text(&t, PAINT_NONE, "a");
	table_format(&t, "%d", 7);
	table_text(&t, PAINT_NONE, NULL);
	table_text(&t, PAINT_NONE, "\033[2J\n");
	table_print(&t, false, &out);
	assert_string_equal(str_text(&out), "NAME      N  TEXT\n"
					    "größer  100\n"
					    "a         7  \\x1b[2J\\x0a\n");
	str_fini(&out);
	table_fini(&t);
}

static void colours_do_not_move_columns(void **state)
{
	static const char *const names[] = { "A", "B" };
	struct table t;
	struct str out = { 0 };

	(void)state;
	table_head(&t, "ll", names);
	table_text(&t, PAINT_GOOD, "x");
	table_text(&t, PAINT_NONE, "y");
	table_print(&t, true, &out);
	assert_string_equal(str_text(&out), "\033[1mA\033[0m  \033[1mB\033[0m\n"
					    "\033[32mx\033[0m  y\n");
	str_fini(&out);
	table_fini(&t);
}

static void sockets_are_told_with_who_holds_them(void **state)
{
	json_t *answer = from(
		"{\"all_seen\": false, \"sockets\": [{\"name\": \"http\", \"listen\": \"*:80\", "
		"\"type\": \"stream\", \"state\": \"listening\", \"origin\": \"bound\", "
		"\"queue\": 3, \"backlog\": 511, \"connections\": {\"established\": 2}, "
		"\"workers\": [{\"worker\": \"web/0/0\", \"pid\": 6, \"connections\": 1}, "
		"{\"worker\": \"web/0/1\", \"pid\": 5, \"connections\": null}, "
		"{\"worker\": \"web/1/0\", \"pid\": 7, \"connections\": 2}], "
		"\"copies\": [{\"pid\": 7, \"descriptor\": 3, \"holder\": \"web/1/0\", "
		"\"program\": \"a\\u001b[2J\"}, {\"pid\": 9, \"descriptor\": 3, "
		"\"holder\": \"web/1/0\", \"program\": null}, "
		"{\"pid\": 8, \"descriptor\": 4, "
		"\"holder\": null, \"program\": null}]}]}");
	struct str out = { 0 };

	(void)state;
	sockets_text(answer, false, &out);
	assert_string_equal(str_text(&out),
		"SOCKET        LISTEN  TYPE    STATE      ORIGIN  QUEUE  PID  FD  CONN  NOTE\n"
		"http          *:80    stream  listening  bound   3/511                 2 established\n"
		"  web/1/0                                                 7   3     2  a\\x1b[2J\n"
		"  web/1/0                                                 9   3\n"
		"  a stranger                                              8   4\n"
		"  web/0/0                                                 6         1\n"
		"Not every process could be looked at: there may be more copies.\n");
	str_fini(&out);
	json_decref(answer);
}

static json_t *drain_event(const char *program, int worker, const char *state, int connections,
			   int seconds)
{
	return json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:i}", "name", program, "generation", 3,
			 "worker", worker, "state", state, "text", "TEXT", "connections",
			 connections < 0 ? json_null() : json_integer(connections),
			 "ends_before_s", seconds);
}

static void expect_leaving(const struct leaving *l, const char *program, int64_t now,
			   const char *text)
{
	struct str out = { 0 };

	leaving_add(l, program, now, &out);
	assert_string_equal(str_text(&out), text);
	str_fini(&out);
}

static void what_drains_is_summed_up_by_program(void **state)
{
	static const struct {
		const char *program;
		int worker;
		const char *state;
		int connections, seconds;
		const char *web;	/* a second after it */
	} rows[] = {
		{ "web", 0, "draining", 12, 24, ", 12 connections left, 23s at most" },
		{ "web", 1, "draining", 3, 30, ", 15 connections left, 29s at most" },
		{ "webs", 0, "draining", 100, 99, ", 15 connections left, 28s at most" },
		{ "web", 0, "draining", 0, 20, ", 3 connections left, 27s at most" },
		{ "web", 1, "draining", 1, 20, ", 1 connection left, 19s at most" },
		{ "web", 1, "stopping", -1, 0, ", 1 connection left, 18s at most" },
		{ "web", 1, "gone", -1, 0, ", 0 connections left, 16s at most" },
		{ "web", 0, "killing", -1, 0, "" },
	};
	struct leaving l = { 0 };

	(void)state;
	expect_leaving(&l, "web", 0, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *event = drain_event(rows[i].program, rows[i].worker, rows[i].state,
					    rows[i].connections, rows[i].seconds);

		leaving_event(&l, event, 1000 * (int64_t)i);
		expect_leaving(&l, "web", 1000 * (int64_t)i + 1000, rows[i].web);
		assert_int_equal(leaving_any(&l, "web"), *rows[i].web != 0);
		assert_false(leaving_any(&l, "we"));
		json_decref(event);
	}
	leaving_fini(&l);
}

static void a_count_is_a_sentence_of_its_own(void **state)
{
	json_t *counted = drain_event("web", 0, "draining", 12, 24);
	json_t *other = drain_event("web", 0, "draining", -1, 0);
	struct str out = { 0 };

	(void)state;
	assert_false(leaving_sentence(other, &out));
	assert_true(leaving_sentence(counted, &out));
	assert_string_equal(str_text(&out), "web/3/0: draining, TEXT");
	str_fini(&out);
	json_decref(counted);
	json_decref(other);
}

static void json_moves_no_cursor(void **state)
{
	json_t *j = from("{\"a\\u009b\": \"\\u001b[2J\\u007f\\u009b\\u00a0\\u00e4\"}");
	struct str out = { 0 };

	(void)state;
	str_add_dump(&out, j, JSON_COMPACT);
	assert_string_equal(str_text(&out),
			    "{\"a\\u009B\":\"\\u001B[2J\\u007F\\u009B\u00a0\u00e4\"}");
	str_fini(&out);
	json_decref(j);
}

static void a_refusal_has_a_code_and_a_sentence(void **state)
{
	static const struct {
		const char *error, *parameters;
		int code;
		const char *sentence;
	} told[] = {
		{ "io.holdport.PermissionDenied", "{}", 4,
		  "not permitted: root and the user that the supervisor runs as may ask it, and its "
		  "read_group and change_group, each what it is for" },
		{ "io.holdport.NoSuchProgram", "{\"name\": \"wbe\"}", 6,
		  "nothing here is called \"wbe\"" },
		{ "io.holdport.NothingNamed", "{}", 2, "name a program, or say --all" },
		{ "io.holdport.NotReached",
		  "{\"name\": \"web\", \"state\": \"failed\", \"text\": \"gave up\"}", 1,
		  "web is failed: gave up" },
		{ "io.holdport.NotReached",
		  "{\"name\": \"web\", \"state\": \"stopped\", \"text\": null}", 1, "web is stopped" },
		{ "io.holdport.Failed", "{\"text\": \"100% wrong\"}", 1, "100% wrong" },
		{ "io.holdport.Failed", "{}", 1, "the supervisor answered io.holdport.Failed" },
		{ "com.example.Strange", "{\"a\": 1}", 1,
		  "the supervisor answered com.example.Strange" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(told); i++) {
		json_t *parameters = from(told[i].parameters);
		struct err err;

		assert_int_equal(client_refusal(told[i].error, parameters, &err), told[i].code);
		assert_string_equal(err.text, told[i].sentence);
		json_decref(parameters);
	}
}

static void an_event_is_a_sentence_and_a_row(void **state)
{
	static const struct {
		const char *event, *sentence, *row;
	} told[] = {
		{ "{\"seq\": 1, \"time\": \"2026-11-22T10:43:00Z\", \"what\": \"generation\", "
		  "\"name\": \"web\", \"state\": \"proving\", \"generation\": 4, \"text\": null}",
		  "web: generation 4 proving",
		  "2026-11-22T10:43:00Z  generation  web/4         proving\n" },
		{ "{\"seq\": 2, \"time\": \"2026-11-22T10:43:00Z\", \"what\": \"worker\", "
		  "\"name\": \"web\", \"state\": \"gone\", \"generation\": 4, \"worker\": 1, "
		  "\"pid\": 9, \"text\": \"signal\\n\"}",
		  "web: worker 1 gone: signal\\x0a",
		  "2026-11-22T10:43:00Z  worker      web/4         gone      "
		  "worker 1, pid 9: signal\\x0a\n" },
		{ "{\"seq\": 3, \"time\": \"2026-11-22T10:43:00Z\", \"what\": \"socket\", "
		  "\"name\": \"http\", \"state\": \"waiting\", \"text\": \"busy\"}",
		  "socket http: waiting: busy",
		  "2026-11-22T10:43:00Z  socket      http          waiting   busy\n" },
		{ "{}", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(told); i++) {
		json_t *event = from(told[i].event);
		struct str out = { 0 };

		event_sentence(event, &out);
		assert_string_equal(str_text(&out), told[i].sentence);
		str_clear(&out);
		event_row(event, &out);
		if (told[i].row)
			assert_string_equal(str_text(&out), told[i].row);
		str_fini(&out);
		json_decref(event);
	}
}

static void the_last_lines_of_what_failed_are_shown(void **state)
{
	json_t *results = from("[{\"name\": \"web\", \"ok\": true, \"text\": \"generation 4 is "
			       "running\", \"lines\": [\"not shown\"]},"
			       "{\"name\": \"api\", \"ok\": false, \"text\": \"exited\", "
			       "\"lines\": [\"a\\tb\", \"boom\"]},"
			       "{\"name\": \"old\", \"ok\": false, \"text\": \"\", \"lines\": []}]");
	struct str out = { 0 };

	(void)state;
	assert_false(outcomes_ok(results));
	outcomes_print(results, false, &out);
	assert_string_equal(str_text(&out), "web: generation 4 is running\n"
					    "api: FAILED: exited\n"
					    "  | a\\x09b\n"
					    "  | boom\n"
					    "old: FAILED\n");
	str_fini(&out);
	json_decref(results);
	assert_true(outcomes_ok(NULL));
}

static void a_plan_is_aligned(void **state)
{
	json_t *plan = from("[{\"action\": \"keep\", \"what\": \"socket\", \"name\": \"http\", "
			    "\"text\": null}, {\"action\": \"restart\", \"what\": \"program\", "
			    "\"name\": \"web\", \"text\": \"workers\"}]");
	struct str out = { 0 };

	(void)state;
	plan_print(plan, false, &out);
	assert_string_equal(str_text(&out), "keep     socket   http\n"
					    "restart  program  web   workers\n");
	str_clear(&out);
	json_array_clear(plan);
	plan_print(plan, false, &out);
	assert_string_equal(str_text(&out), "nothing to do\n");
	str_fini(&out);
	json_decref(plan);
}

static void status_exits_with_three_when_something_does_not_run(void **state)
{
	static const struct {
		const char *status;
		int code;
	} told[] = {
		{ "{\"programs\": [], \"sockets\": []}", 0 },
		{ "{\"programs\": [{\"state\": \"running\"}], \"sockets\": [{\"state\": \"closed\"}]}",
		  0 },
		{ "{\"programs\": [{\"state\": \"running\"}, {\"state\": \"restarting\"}]}", 3 },
		{ "{\"programs\": [], \"sockets\": [{\"state\": \"listening\"}]}", 0 },
		{ "{\"programs\": [], \"sockets\": [{\"state\": \"waiting\"}]}", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(told); i++) {
		json_t *status = from(told[i].status);

		assert_int_equal(status_outcome(status), told[i].code);
		json_decref(status);
	}
}

static void status_shows_workers_below_their_program(void **state)
{
	json_t *status = from(
		"{\"supervisor\": {\"version\": \"1\", \"manager_pid\": 12, \"config\": \"/c\", "
		"\"started\": \"1970-01-01T00:00:00Z\"}, \"programs\": [{\"name\": \"web\", "
		"\"state\": \"restarting\", \"generation\": 3, \"workers\": 1, \"ready\": 1, "
		"\"restarts\": 0, \"last_error\": null, \"generations\": [{\"number\": 3, \"state\": "
		"\"current\", \"proved_by\": \"notify\", \"workers\": [{\"index\": 0, \"slot\": 0, "
		"\"pid\": 99, \"state\": \"serving\", \"started\": \"1970-01-01T00:00:10Z\", "
		"\"connections\": null, \"status\": \"\\u001b[31m\"}]}, {\"number\": 4, \"state\": "
		"\"proving\", \"proved_by\": null, \"workers\": []}]}], \"sockets\": [{\"name\": "
		"\"http\", \"listen\": \"*:80\", \"type\": \"stream\", \"state\": \"waiting\", "
		"\"origin\": null, \"queue\": null, \"backlog\": null, \"reason\": \"busy\", "
		"\"free_after_s\": 3, \"free_before_s\": 63}]}");
	struct str out = { 0 };

	(void)state;
	status_text(status, 100, false, &out);
	assert_string_equal(
		str_text(&out),
		"holdport 1, pid 12, up 1m40s, /c\n"
		"\n"
		"PROGRAM         STATE       GEN  READY  RESTARTS  PID     UP  STATUS\n"
		"web             restarting    3    1/1         0              proved by notify\n"
		"  worker 0      serving       3                    99  1m30s  \\x1b[31m\n"
		"  generation 4  proving       4\n"
		"\n"
		"SOCKET  LISTEN  TYPE    STATE    REASON\n"
		"http    *:80    stream  waiting  busy; free in 3 to 63s\n");
	str_fini(&out);
	json_decref(status);
}

static json_t *worker_with(int connections)
{
	return json_pack("{s:i, s:s, s:o}", "index", 0, "state", "serving", "connections",
			 connections < 0 ? json_null() : json_integer(connections));
}

static json_t *generation_with(int number, const char *state, json_t *workers)
{
	return json_pack("{s:i, s:s, s:o}", "number", number, "state", state, "workers", workers);
}

static void connections_are_summed_up_by_generation(void **state)
{
	json_t *status = json_pack(
		"{s:{}, s:[{s:s, s:s, s:i, s:[o, o, o]}], s:[]}", "supervisor", "programs",
		"name", "web", "state", "running", "generation", 9, "generations",
		generation_with(7, "draining", json_pack("[o]", worker_with(-1))),
		generation_with(8, "draining", json_pack("[o, o]", worker_with(4), worker_with(3))),
		generation_with(9, "current", json_pack("[o, o]", worker_with(10), worker_with(0))),
		"sockets");
	struct str out = { 0 };

	(void)state;
	status_text(status, 100, false, &out);
	assert_non_null(strstr(str_text(&out),
		"PROGRAM         STATE     GEN  READY  CONN\n"
		"web             running     9  -1/-1    10\n"
		"  generation 7  draining    7\n"
		"  worker 0      serving     7\n"
		"  generation 8  draining    8            7\n"));
	str_fini(&out);
	json_decref(status);
}

static void ages_have_two_units(void **state)
{
	static const struct {
		time_t now;
		const char *text;
	} ages[] = {
		{ -5, "0s" },	      { 59, "59s" },	      { 60, "1m0s" },
		{ 3599, "59m59s" },   { 3600, "1h0m" },	      { 86399, "23h59m" },
		{ 86400 * 400, "400d0h" },
	};
	char buf[AGE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(ages); i++)
		assert_string_equal(age_text("1970-01-01T00:00:00Z", ages[i].now, buf),
				    ages[i].text);
	assert_string_equal(age_text("yesterday", 0, buf), "");
	assert_string_equal(age_text(NULL, 0, buf), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_fit_and_empty_ones_vanish),
		cmocka_unit_test(colours_do_not_move_columns),
		cmocka_unit_test(sockets_are_told_with_who_holds_them),
		cmocka_unit_test(what_drains_is_summed_up_by_program),
		cmocka_unit_test(a_count_is_a_sentence_of_its_own),
		cmocka_unit_test(json_moves_no_cursor),
		cmocka_unit_test(a_refusal_has_a_code_and_a_sentence),
		cmocka_unit_test(an_event_is_a_sentence_and_a_row),
		cmocka_unit_test(the_last_lines_of_what_failed_are_shown),
		cmocka_unit_test(a_plan_is_aligned),
		cmocka_unit_test(status_exits_with_three_when_something_does_not_run),
		cmocka_unit_test(status_shows_workers_below_their_program),
		cmocka_unit_test(connections_are_summed_up_by_generation),
		cmocka_unit_test(ages_have_two_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
