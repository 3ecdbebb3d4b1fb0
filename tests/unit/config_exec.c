/* `holdport exec`: settings without a file. */
#include "config_case.h"

static struct settings *exec_of(char *const *addresses, char *const *options, char *const *command)
{
	struct faults faults = { 0 };

	return case_noted(settings_exec(addresses, options, command, "/run/x$y", &faults), &faults);
}

#define LIST(...) ((char *[]){ __VA_ARGS__, NULL })

static void one_program_and_one_socket_come_of_a_command_line(void **state)
{
	struct settings *s = exec_of(
		LIST("127.0.0.1:18080", "unix:/x"), LIST("start-timeout", "5s", "handoff", "stdin"),
		LIST("/bin/my server", "a b", "$x ${fd:socket}", "", "it's\n  \\two"));
	const struct program_settings *p;

	(void)state;
	assert_non_null(s);
	assert_null(s->file);
	assert_string_equal(s->supervisor.runtime_dir, "/run/x$y");
	assert_int_equal(s->socket_count, 1);
	assert_int_equal(s->sockets[0]->address_count, 2);
	p = settings_program(s, "my_server");
	assert_non_null(p);
	assert_int_equal(p->start_timeout, 5000);
	assert_int_equal(p->command.count, 5);
	assert_string_equal(p->command.items[0], "/bin/my server");
	assert_string_equal(p->command.items[2], "$$x $${fd:socket}");
	assert_string_equal(p->command.items[3], "");
	assert_string_equal(p->command.items[4], "it's\n  \\two");
	assert_string_equal(p->sockets.items[0], "socket");
	settings_unref(s);
}

static void without_addresses_there_is_no_socket(void **state)
{
	struct settings *s = exec_of(NULL, NULL, LIST("sleep", "1"));

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->socket_count, 0);
	assert_int_equal(s->programs[0]->sockets.count, 0);
	settings_unref(s);
}

static void faults_of_a_command_line_say_so(void **state)
{
	(void)state;
	assert_null(exec_of(LIST("99999"), LIST("wrokers", "2", "max_age", "old", "workers", "x"),
			    LIST("sleep", "1")));
	assert_non_null(strstr(case_said, "command line: unknown key \"wrokers\""));
	assert_non_null(strstr(case_said, "command line: max_age: cannot read \"old\""));
	assert_non_null(strstr(case_said, "command line: workers: cannot read \"x\""));
	assert_non_null(strstr(case_said, "command line: listen: "));
	assert_null(exec_of(NULL, NULL, (char *[]){ NULL }));
	assert_non_null(strstr(case_said, "no command"));
}

CASES(CASE(one_program_and_one_socket_come_of_a_command_line),
      CASE(without_addresses_there_is_no_socket), CASE(faults_of_a_command_line_say_so), )
