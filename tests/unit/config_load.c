/* Files, sections, keys and what values refer to. */
#include "config_case.h"

#include <grp.h>
#include <pwd.h>

#define WEB "[socket:http]\nlisten = 127.0.0.1:18080\n[program:web]\ncommand = a\nsockets = http\n"

static void a_typical_file_is_understood(void **state)
{
	struct settings *s =
		case_good("[supervisor]\nruntime_dir = run\nshutdown_timeout = 10s\n" WEB
			  "workers = 3\nready = delay:2s\nstdout = null\n"
			  "stop = TERM:10s SIGINT:1s KILL\nlimit_nofile = 64:1K\n"
			  "success_exit_codes = 0, 3\numask = 027\n");
	const struct program_settings *p = settings_program(s, "web");
	const struct socket_settings *k = settings_socket(s, "http");

	(void)state;
	assert_int_equal(s->supervisor.shutdown_timeout, 10000);
	assert_int_equal(k->address_count, 1);
	assert_int_equal(address_port(&k->addresses[0]), 18080);
	assert_int_equal(k->backlog, 0);
	assert_int_equal(k->mark, TUNE_UNSET);
	assert_int_equal(k->uid, (uid_t)-1);
	assert_int_equal(p->workers, 3);
	assert_int_equal(p->ready.how, READY_DELAY);
	assert_int_equal(p->ready.delay, 2000);
	assert_int_equal(p->out.how, OUTPUT_NULL);
	assert_int_equal(p->err.how, OUTPUT_STDOUT);
	assert_int_equal(p->ladder_length, 3);
	assert_int_equal(p->ladder[2].patience, -1);
	assert_int_equal(p->limits[0].value.rlim_max, 1024);
	assert_int_equal(p->success_exit_codes[1], 3);
	assert_int_equal(p->umask, 027);
	assert_int_equal(p->place.line, 6);
	assert_null(settings_program(s, "nobody"));
	assert_ptr_equal(settings_ref(s), s);
	settings_unref(s);
	assert_string_equal(p->name, "web");
	settings_unref(s);
}

static void presets_are_what_the_interface_says(void **state)
{
	struct settings *s = case_good("[program:a]\ncommand = x\n");
	const struct program_settings *p = s->programs[0];

	(void)state;
	assert_int_equal(s->supervisor.log_level, LOG_LEVEL_INFO);
	assert_int_equal(s->supervisor.shutdown_timeout, 90000);
	assert_int_equal(p->workers, 1);
	assert_int_equal(p->handoff, HANDOFF_LISTEN_FDS);
	assert_int_equal(p->restart_delay, 100);
	assert_int_equal(p->restart_delay_max, 30000);
	assert_int_equal(p->start_timeout, 60000);
	assert_int_equal(p->ladder[0].patience, 30000);
	assert_int_equal(p->max_generations, 4);
	assert_int_equal(p->umask, TUNE_UNSET);
	assert_string_equal(p->directory, case_dir);
	settings_unref(s);
}

static void every_fault_is_reported_with_its_line(void **state)
{
	(void)state;
	case_fault("[supervisor]\nlog_levle = info\nlog = sysloog\nread_group = no-such-group\n"
		   "[program:web]\ncommand = a\nwrokers = 2\nworkers = -1\nmax_age = old\n"
		   "start = on-demand\nready = http:x\n[porgram:x]\n",
		   "main.conf:2: unknown key \"log_levle\" in [supervisor]; "
		   "did you mean \"log_level\"?\n");
	assert_non_null(strstr(case_said, ":3: log: cannot read \"sysloog\""));
	assert_non_null(strstr(case_said, ":4: read_group: there is no group \"no-such-group\""));
	assert_non_null(strstr(case_said, ":7: unknown key \"wrokers\" in [program:web]; "
					  "did you mean \"workers\"?"));
	assert_non_null(strstr(case_said, ":8: workers: cannot read \"-1\""));
	assert_non_null(strstr(case_said, ":9: max_age: cannot read \"old\""));
	assert_non_null(strstr(case_said, ":10: start: on-demand needs a socket"));
	assert_non_null(strstr(case_said, ":11: ready: http:PATH: a path is needed"));
	assert_non_null(strstr(case_said, ":12: unknown section [porgram:x]; did you mean"));
	assert_int_equal(case_fault_count(), 9);
}

static void what_has_no_effect_yet_is_refused(void **state)
{
	static const char *const socket[] = { "when_busy = adopt" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(socket) / sizeof(socket[0]); i++) {
		(void)snprintf(text, sizeof(text), "[socket:s]\n%s%s\n",
			       "listen = 18081\n", socket[i]);
		case_fault(text, "not in this version");
		assert_int_equal(case_fault_count(), 1);
	}
}

static void repeated_keys_and_sections_name_the_first(void **state)
{
	(void)state;
	case_fault("[program:a]\ncommand = x\nworkers = 1\nworkers = 1\n[program:a]\ncommand = y\n",
		   ":4: \"workers\" was given in line 3 already");
	assert_non_null(strstr(case_said, ":5: [program:a] stands in "));
	assert_non_null(strstr(case_said, "main.conf:1 already"));
}

static void a_section_is_named_as_its_kind_wants(void **state)
{
	(void)state;
	case_fault("[program]\n[program:]\n[program:a:b]\n[supervisor:x]\n[socket:-a]\n",
		   ":1: [program]: write [program:NAME]");
	assert_non_null(strstr(case_said, ":4: [supervisor:x]: this section has no name"));
	assert_int_equal(case_fault_count(), 5);
	case_fault("workers = 1\n", ":1: \"workers\" stands in no section");
	case_fault("[program:a]\ncommand = x\nworkers =\n",
		   ":3: workers: a value is needed; the preset is \"1\"");
}

static void expansions_are_made_when_the_file_is_read(void **state)
{
	struct settings *s;

	(void)state;
	assert_int_equal(setenv("CASE_A", "two words $x ${here}", 1), 0);
	assert_int_equal(unsetenv("CASE_B"), 0);
	s = case_good("[program:web]\ncommand = run ${ENV:CASE_A} ${ENV:CASE_B:-b c} ${program} "
		      "${worker} $$1\nworkers = ${ENV:CASE_B:-5}\npid_file = ${slot}.pid\n"
		      "environment = HERE=${here}\n");
	assert_int_equal(s->programs[0]->command.count, 6);
	assert_string_equal(s->programs[0]->command.items[1], "two words $$x $${here}");
	assert_string_equal(s->programs[0]->command.items[2], "b c");
	assert_string_equal(s->programs[0]->command.items[3], "web");
	assert_string_equal(s->programs[0]->command.items[4], "${worker}");
	assert_string_equal(s->programs[0]->command.items[5], "$$1");
	assert_int_equal(s->programs[0]->workers, 5);
	assert_string_equal(s->programs[0]->environment.items[0] + 5, case_dir);
	settings_unref(s);
	case_fault("[program:web]\ncommand = ${ENV:CASE_B} ${prgram}\nworkers = ${worker}\n"
		   "[socket:x]\nlisten = ${program}\n",
		   ":2: command: CASE_B is not set in the environment");
	assert_non_null(
		strstr(case_said, ":3: workers: ${worker} is known only when a worker starts"));
	assert_non_null(
		strstr(case_said, ":5: listen: ${program} has a meaning in [program:NAME] only"));
	case_fault("[program:a]\ncommand = ${prgram}\n",
		   "unknown expansion ${prgram}; did you mean \"program\"?");
	case_fault("[program:a]\ncommand = a $x\n", "write \"$$\" for a dollar");
}

static void ends_in(const char *text, const char *tail)
{
	char *want = case_path(tail);

	assert_string_equal(text, want);
	free(want);
}

static void relative_paths_are_relative_to_their_file(void **state)
{
	struct settings *s;
	char *dir = case_path("sub"), *path;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	path = mem_format("%s/sub.conf", "sub");
	case_put(path, "[program:b]\ncommand = ./run x/y\npid_file = b.pid\n");
	s = case_good("[supervisor]\nruntime_dir = run\npid_file = ./pid\nlog = ./log\n"
		      "[include]\nfiles = sub/*.conf\n[socket:u]\nlisten = unix:u.sock\n"
		      "[program:a]\ncommand = bin/run x/y\ndirectory = ${worker}/d\n");
	ends_in(s->supervisor.runtime_dir, "run");
	ends_in(s->supervisor.pid_file, "pid");
	ends_in(s->supervisor.log, "log");
	ends_in(s->file, "main.conf");
	ends_in(address_path(&s->sockets[0]->addresses[0]), "u.sock");
	ends_in(s->programs[0]->command.items[0], "bin/run");
	assert_string_equal(s->programs[0]->command.items[1], "x/y");
	ends_in(s->programs[0]->directory, "${worker}/d");
	ends_in(s->programs[1]->command.items[0], "sub/run");
	ends_in(s->programs[1]->pid_file, "sub/b.pid");
	settings_unref(s);
	free(path);
	free(dir);
}

static void faults_name_the_file_as_it_was_named(void **state)
{
	struct faults faults = { 0 };
	char cwd[4096];

	(void)state;
	case_put("inc.conf", "x = 1\n");
	case_put("main.conf", "[include]\nfiles = inc.conf, none.conf, no*.conf\n");
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(case_dir), 0);
	assert_null(case_noted(settings_load("./main.conf", &faults), &faults));
	assert_int_equal(chdir(cwd), 0);
	assert_string_equal(case_said,
			    "./inc.conf:1: \"x\" stands in no section; a section such as "
			    "[program:web] comes first\n"
			    "./main.conf:2: files: ./none.conf: No such file or directory\n");
}

static void files_that_include_each_other_are_a_fault(void **state)
{
	(void)state;
	case_put("loop.conf", "[include]\nfiles = main.conf\n");
	case_fault("[include]\nfiles = loop.conf\n", "loop.conf:2: files: ");
	assert_non_null(strstr(case_said, "main.conf: includes itself"));
	assert_int_equal(case_fault_count(), 1);
}

static void includes_may_be_eight_deep(void **state)
{
	char name[32], text[64];

	(void)state;
	for (int i = 1; i <= 9; i++) {
		(void)snprintf(name, sizeof(name), "deep%d.conf", i);
		(void)snprintf(text, sizeof(text), "[include]\nfiles = deep%d.conf\n", i + 1);
		case_put(name, text);
	}
	case_put("deep8.conf", "[program:a]\ncommand = x\n");
	settings_unref(case_good("[include]\nfiles = deep1.conf\n"));
	case_put("deep8.conf", "[include]\nfiles = deep9.conf\n");
	case_fault("[include]\nfiles = deep1.conf\n",
		   "deep9.conf: is included more than 8 files deep");
}

static void a_file_that_others_may_write_is_refused_to_root(void **state)
{
	char *path;

	(void)state;
	if (geteuid() != 0)
		skip();
	path = case_path("open.conf");
	case_put("open.conf", "");
	assert_int_equal(chmod(path, 0664), 0);
	assert_null(case_load_file("open.conf"));
	assert_non_null(strstr(case_said, "open.conf: can be written by others"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, 1, 0), 0);
	assert_null(case_load_file("open.conf"));
	assert_non_null(strstr(case_said, "open.conf: belongs to another user"));
	free(path);
}

static void a_directory_that_others_may_write_is_refused(void **state)
{
	struct settings *s;

	(void)state;
	case_put("plain.conf", "");
	assert_int_equal(chmod(case_dir, 0777), 0);
	assert_null(case_load_file("plain.conf"));
	assert_non_null(strstr(case_said, "can be written by"));
	assert_non_null(strstr(case_said, case_dir));
	assert_int_equal(chmod(case_dir, 01777), 0);
	s = case_load_file("plain.conf");
	assert_non_null(s);
	settings_unref(s);
	assert_int_equal(chmod(case_dir, 0700), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(case_dir, 1, 0), 0);
	assert_null(case_load_file("plain.conf"));
	assert_non_null(strstr(case_said, "belongs to another user, who could replace"));
	assert_int_equal(chown(case_dir, 0, 0), 0);
}

static void a_file_that_is_not_there_is_a_fault(void **state)
{
	(void)state;
	assert_null(case_load_file("absent.conf"));
	assert_non_null(strstr(case_said, "absent.conf: No such file or directory"));
	assert_null(case_load_file("."));
	assert_non_null(strstr(case_said, "is a directory"));
}

static void an_environment_file_is_taken_as_it_is(void **state)
{
	struct settings *s;

	(void)state;
	case_put("env", "# no\nA=$x\n\nB= 2\n");
	s = case_good("[program:a]\ncommand = x\nenvironment = A=3\nenvironment_file = env\n");
	assert_int_equal(s->programs[0]->environment.count, 3);
	assert_string_equal(s->programs[0]->environment.items[0], "A=$$x");
	assert_string_equal(s->programs[0]->environment.items[2], "A=3");
	settings_unref(s);
	case_put("env", "1=2\n");
	case_fault("[program:a]\ncommand = x\nenvironment = B\nenvironment_file = env\n",
		   "env: cannot read \"1=2\"; NAME=value is needed");
	assert_non_null(strstr(case_said, ":3: environment: cannot read \"B\""));
	case_fault("[program:a]\ncommand = x\nenvironment_file = nowhere\n",
		   "nowhere: No such file");
}

static void an_environment_file_is_as_safe_as_the_configuration(void **state)
{
	char *path;

	(void)state;
	if (geteuid() != 0)
		skip();
	path = case_path("env");
	case_put("env", "A=1\n");
	assert_int_equal(chmod(path, 0666), 0);
	case_fault("[program:a]\ncommand = x\nenvironment_file = env\n",
		   "env can be written by others");
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

static void users_and_groups_become_numbers(void **state)
{
	struct settings *s;

	(void)state;
	if (geteuid() != 0 || !getpwnam("daemon"))
		skip();
	s = case_good("[program:a]\ncommand = x\nuser = daemon\n"
		      "[program:b]\ncommand = x\nuser = 12345\ngroup = 54321\n"
		      "supplementary_groups = 1, 2\n");
	assert_true(s->programs[0]->set_user && s->programs[0]->set_group);
	assert_int_equal(s->programs[0]->uid, getpwnam("daemon")->pw_uid);
	assert_int_equal(s->programs[0]->gid, getpwnam("daemon")->pw_gid);
	assert_true(s->programs[0]->group_count >= 1);
	assert_int_equal(s->programs[1]->uid, 12345);
	assert_int_equal(s->programs[1]->gid, 54321);
	assert_int_equal(s->programs[1]->group_count, 2);
	settings_unref(s);
	case_fault("[program:a]\ncommand = x\nuser = nobody-here\ngroup = nobody-here\n",
		   ":3: user: there is no user \"nobody-here\"");
	assert_non_null(strstr(case_said, ":4: group: there is no group \"nobody-here\""));
}

static void without_root_only_oneself_may_be_asked_for(void **state)
{
	struct settings *s;
	char text[128];

	(void)state;
	if (geteuid() == 0)
		skip();
	(void)snprintf(text, sizeof(text), "[program:a]\ncommand = x\nuser = %lu\ngroup = %lu\n",
		       (unsigned long)geteuid(), (unsigned long)getegid());
	s = case_good(text);
	assert_false(s->programs[0]->set_user || s->programs[0]->set_group);
	settings_unref(s);
	case_fault("[program:a]\ncommand = x\nuser = root\ngroup = 0\nsupplementary_groups = 0\n",
		   ":3: user: only root can run a program as \"root\"");
	assert_non_null(strstr(case_said, ":4: group: only root can run a program as group \"0\""));
	assert_non_null(strstr(case_said, ":5: supplementary_groups: only root can"));
}

CASES(CASE(a_typical_file_is_understood), CASE(presets_are_what_the_interface_says),
      CASE(every_fault_is_reported_with_its_line), CASE(what_has_no_effect_yet_is_refused),
      CASE(repeated_keys_and_sections_name_the_first), CASE(a_section_is_named_as_its_kind_wants),
      CASE(expansions_are_made_when_the_file_is_read),
      CASE(relative_paths_are_relative_to_their_file), CASE(faults_name_the_file_as_it_was_named),
      CASE(files_that_include_each_other_are_a_fault), CASE(includes_may_be_eight_deep),
      CASE(a_file_that_others_may_write_is_refused_to_root),
      CASE(a_directory_that_others_may_write_is_refused),
      CASE(a_file_that_is_not_there_is_a_fault), CASE(an_environment_file_is_taken_as_it_is),
      CASE(an_environment_file_is_as_safe_as_the_configuration),
      CASE(users_and_groups_become_numbers),
      CASE(without_root_only_oneself_may_be_asked_for), )
