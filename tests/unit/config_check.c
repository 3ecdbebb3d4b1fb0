/* One section beside another. */
#include "config_case.h"

#include <signal.h>

#define SOCKETS                                                                                    \
	"[socket:tcp]\nlisten = 127.0.0.1:18080, 127.0.0.1:18081\n[socket:unix]\nlisten = "        \
	"unix:/x/y\n"

/* A program in line 5 with the sockets above; its keys from line 7 on. */
static void refused(const char *keys, const char *fault)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), SOCKETS "[program:p]\ncommand = x\n%s\n", keys);
	case_fault(text, fault);
	assert_int_equal(case_fault_count(), 1);
}

static struct settings *taken(const char *keys)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), SOCKETS "[program:p]\ncommand = x\n%s\n", keys);
	return case_good(text);
}

static void sockets_that_are_named_exist_once(void **state)
{
	(void)state;
	refused("sockets = tpc", ":7: sockets: there is no [socket:tpc]; did you mean \"tcp\"?");
	refused("sockets = tcp, tcp", ":7: sockets: \"tcp\" is named twice");
}

static void on_demand_needs_somewhere_to_come_to(void **state)
{
	(void)state;
	refused("start = on-demand", ":7: start: on-demand needs a socket");
	refused("start = on-demand\nsockets = tcp\nhandoff = intercept",
		":7: start: on-demand is not for handoff = intercept");
	settings_unref(taken("start = on-demand\nsockets = unix"));
}

static void an_order_has_a_beginning(void **state)
{
	(void)state;
	refused("after = q", ":7: after: there is no [program:q]");
	refused("after = p", ":7: after: it waits for itself");
	case_fault("[program:a]\ncommand = x\nafter = c\n[program:b]\ncommand = x\nafter = a\n"
		   "[program:c]\ncommand = x\nafter =\n b\n d\n[program:d]\ncommand = x\n",
		   ":6: after: b waits for a, which waits for c, which waits for b: none of them can "
		   "be the first");
	assert_int_equal(case_fault_count(), 1);
	settings_unref(case_good("[program:a]\ncommand = x\nafter = b, c\n[program:b]\ncommand = x\n"
				 "after = c, d\n[program:c]\ncommand = x\nafter = d\n"
				 "[program:d]\ncommand = x\n"));
}

static void an_address_belongs_to_one_socket(void **state)
{
	(void)state;
	case_fault(SOCKETS "[socket:b]\nlisten = 127.0.0.1:18081\n",
		   ":6: listen: [socket:tcp] has the address \"127.0.0.1:18081\" already");
	case_fault("[socket:a]\nlisten = unix:/x, unix:/x\n",
		   "has the address \"unix:/x\" already");
}

static void what_is_required_is_asked_for(void **state)
{
	(void)state;
	case_fault("[program:p]\n[socket:s]\n", ":1: [program:p] has no command; add one such as");
	assert_non_null(strstr(case_said, ":2: [socket:s] has no listen"));
	case_fault("[program:p]\ncommand =\n", ":2: [program:p] has no command");
}

static void ready_fits_the_sockets(void **state)
{
	(void)state;
	refused("ready = tcp", "ready: tcp needs a TCP socket");
	refused("sockets = unix\nready = tcp", "ready: tcp needs a TCP socket");
	case_fault("[socket:d]\nlisten = 18080\ndefer_accept = 1s\n"
		   "[program:p]\ncommand = x\nsockets = d\nready = tcp\n",
		   ":7: ready: tcp cannot prove a worker of [socket:d], whose defer_accept");
	settings_unref(taken("sockets = unix, tcp\nready = tcp"));
	case_fault("[socket:d]\nlisten = 18080\ndefer_accept = 1s\n"
		   "[program:p]\ncommand = x\nsockets = d\nready = http:/\n",
		   ":7: ready: http:PATH cannot prove a worker of [socket:d], whose defer_accept");
	refused("sockets = unix\nready = http:/", "ready: http:PATH needs a TCP socket");
	refused("ready = http:", "ready: http:PATH: a path is needed");
	refused("ready = http:///x", "ready: http:PATH: a path is needed");
	settings_unref(taken("ready = http://127.0.0.1:81${slot}/x"));
	settings_unref(taken("sockets = unix, tcp\nready = http:/x"));
	refused("sockets = tcp, unix\nready = fd:5",
		":8: ready: descriptor 5 is one of the program's sockets (3 to 5); the first free "
		"one "
		"is fd:6");
	settings_unref(taken("sockets = tcp, unix\nready = fd:6"));
	refused("ready = fd:2", ":7: ready: fd:N: 2 is out of range");
	refused("ready = redy",
		"ready: cannot read \"redy\"; it is auto, notify, fd:N, listen, tcp, http:PATH, exec:COMMAND or delay:D");
}

static void health_is_asked_where_it_can_be(void **state)
{
	static const char *const once[] = { "notify", "fd:7", "listen", "delay:1s", "auto" };
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		(void)snprintf(line, sizeof(line), "health = %s", once[i]);
		refused(line, "is for ready: ");
	}
	refused("health = tcp", "health: tcp needs a TCP socket");
	refused("sockets = unix\nhealth = tcp", "health: tcp needs a TCP socket");
	refused("health = http:/h", "health: http:PATH needs a stream socket");
	refused("health = http:h", "health: http:PATH: a path is needed");
	refused("health = exec:", "health: exec:COMMAND: a command is needed");
	refused("health = well", "health: cannot read \"well\"; it is tcp, http:PATH or exec:COMMAND");
	settings_unref(taken("sockets = unix\nhealth = http:/h"));
	settings_unref(taken("sockets = tcp\nhealth = tcp"));
	settings_unref(taken("health = http://127.0.0.1:81${slot}/h"));
	settings_unref(taken("health ="));
}

static void late_expansions_are_checked_early(void **state)
{
	(void)state;
	settings_unref(taken("sockets = tcp, unix\nenvironment = A=${fd:tcp:1}\n"
			     " B=${port:tcp}\n C=${address:unix}\n D=$${fd:x}"));
	refused("environment = A=${fd:tcp}",
		":7: environment: ${fd:tcp}: \"tcp\" is not among the program's sockets");
	refused("sockets = tcp\nenvironment = A=${fd:tcp:2}",
		":8: environment: ${fd:tcp:2}: [socket:tcp] has 2 addresses, counted from 0");
	refused("sockets = unix\npid_file = ${port:unix}", "a unix socket has no port");
	refused("sockets = tcp\ndirectory = ${fd:tcp:x}",
		"directory: ${fd:tcp:x}: cannot read \"x\"");
}

static void handoff_is_a_set_that_makes_sense(void **state)
{
	struct settings *s = taken("sockets = tcp\nhandoff = auto, stdin");

	(void)state;
	assert_int_equal(s->programs[0]->handoff, HANDOFF_LISTEN_FDS | HANDOFF_STDIN);
	settings_unref(s);
	refused("handoff = stdin", ":7: handoff: stdin needs a socket");
	refused("handoff = none, auto", ":7: handoff: none stands alone");
	refused("handoff = atuo",
		"handoff: cannot read \"atuo\"; it is auto, stdin, nginx, einhorn, php-fpm, intercept or none; "
		"did you mean \"auto\"?");
}

static void a_ladder_ends_in_kill_and_only_there(void **state)
{
	(void)state;
	refused("stop = TERM:1s", "the last rung is KILL");
	refused("stop = KILL:1s KILL", "KILL is the last rung");
	refused("stop = TERM KILL", "every rung but the last has a patience");
	refused("stop = TERM:1s KILL:1s", "the last rung has no patience");
	refused("stop = TREM:1s KILL", "\"TREM:1s\": there is no such signal");
	refused("stop = TERM:1x KILL", "stop: cannot read \"1x\"; a duration is");
}

static void nginx_is_asked_to_quit(void **state)
{
	struct settings *s = taken("sockets = tcp\nhandoff = nginx");

	(void)state;
	assert_int_equal(s->programs[0]->ladder[0].signal, SIGQUIT);
	settings_unref(s);
	s = taken("sockets = tcp\nhandoff = php-fpm");
	assert_int_equal(s->programs[0]->ladder[0].signal, SIGQUIT);
	settings_unref(s);
	s = taken("sockets = tcp\nhandoff = nginx\nstop = TERM:1s KILL");
	assert_int_equal(s->programs[0]->ladder[0].signal, SIGTERM);
	settings_unref(s);
}

static void numbers_keep_to_their_bounds(void **state)
{
	(void)state;
	refused("workers = 1001", "a number from 0 to 1000, or auto");
	refused("max_generations = 0", "\"0\" is out of range; it goes from 1 to 1000");
	refused("success_exit_codes = 256", "\"256\" is out of range; it goes from 0 to 255");
	refused("limit_core = 2:1", "the soft limit in \"2:1\" is above the hard one");
	refused("umask = 8", "umask: cannot read \"8\"; an octal mode");
	refused("restart_delay = 1m", "restart_delay: it is longer than restart_delay_max");
	refused("restart_delay_max = x", "restart_delay_max: cannot read \"x\"");
	settings_unref(taken("workers = 0\nlimit_core = unlimited"));
}

static void auto_workers_are_as_many_as_processors(void **state)
{
	struct settings *s = taken("workers = auto");

	(void)state;
	assert_true(s->programs[0]->workers >= 1);
	settings_unref(s);
}

CASES(CASE(on_demand_needs_somewhere_to_come_to), CASE(an_order_has_a_beginning), CASE(sockets_that_are_named_exist_once), CASE(an_address_belongs_to_one_socket),
      CASE(what_is_required_is_asked_for), CASE(ready_fits_the_sockets), CASE(health_is_asked_where_it_can_be),
      CASE(late_expansions_are_checked_early), CASE(handoff_is_a_set_that_makes_sense),
      CASE(a_ladder_ends_in_kill_and_only_there), CASE(nginx_is_asked_to_quit),
      CASE(numbers_keep_to_their_bounds), CASE(auto_workers_are_as_many_as_processors), )
