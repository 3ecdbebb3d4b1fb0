/* holdportd: started by `holdport run` and `holdport exec`, never by hand. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/text_list.h"
#include "keeper/keeper.h"
#include "logs/scribe.h"
#include "platform/process.h"
#include "supervisor/print.h"
#include "supervisor/supervisor.h"

static int usage(void)
{
	fputs("holdportd is started by the command holdport:\n"
	      "  holdport run [-c FILE]\n"
	      "  holdport exec [-l ADDR]... [--KEY=VALUE]... -- COMMAND [ARG...]\n", stderr);
	return EXIT_CONFIGURATION;
}

static void fill_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

/* 0, 1, 2 exist, and nothing that our starter left open goes further. */
static void tidy_descriptors(void)
{
	fill_standard();
	platform_close_on_exec_from(STDERR_FILENO + 1);
}

/* Who is above us speaks to us alone: nobody inherits it. */
static void take_upward(struct supervisor *s)
{
	static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
					     "FDSTORE" };

	upward_init(&s->upward, getenv(names[0]), getenv(names[1]), getenv(names[2]),
		    link_face(&s->link));
	if (s->upward.there)
		deposit_init(&s->upward.deposit, getenv(names[3]));
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unsetenv(names[i]);
}

/* Before anything is opened; and what was said to us is not for our workers. */
static void note_inherited(struct supervisor *s)
{
	inherited_note(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getenv("LISTEN_FDNAMES"),
		       link_face(&s->link), &s->inherited);
}

static void forget_inherited(void)
{
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_PIDFDID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

static int refuse(struct supervisor *s, struct faults *faults)
{
	inherited_fini(&s->inherited);
	faults_print(faults, stderr);
	faults_fini(faults);
	return EXIT_CONFIGURATION;
}

static int run(struct supervisor *s, int argc, char **argv)
{
	struct faults faults = { 0 };
	const char *file = argc == 4 && strcmp(argv[2], "-c") == 0 ? argv[3] : NULL;
	struct settings *settings;
	char *absolute;
	int rc;

	if (!file)
		return usage();
	settings = settings_load(file, &faults);
	if (!settings)
		return refuse(s, &faults);
	/* Absolute, but with its links: a link that is turned to another file is
	 * how many a deployment changes its configuration. */
	s->file = absolute = mem_text(settings->file);
	rc = supervisor_run(s, settings);
	free(absolute);
	return rc;
}

/* "--KEY=VALUE" as KEY and VALUE. */
static bool add_option(struct text_list *options, const char *arg)
{
	const char *equals = strchr(arg, '=');

	if (strncmp(arg, "--", 2) != 0 || !equals)
		return false;
	text_list_add_owned(options, mem_text_n(arg + 2, (size_t)(equals - arg) - 2));
	text_list_add(options, equals + 1);
	return true;
}

/* `exec` has a directory of its own, unless --runtime-dir=DIR names one. */
static char *take_runtime_dir(struct text_list *options, pid_t pid)
{
	char *base, *dir;

	for (size_t i = 0; i + 1 < options->count; i += 2) {
		if (strcmp(options->items[i], "runtime-dir") != 0 &&
		    strcmp(options->items[i], "runtime_dir") != 0)
			continue;
		dir = mem_text(options->items[i + 1]);
		text_list_remove(options, i + 1);
		text_list_remove(options, i);
		return dir;
	}
	base = settings_default_runtime_dir();
	dir = mem_format("%s-exec-%ld", base, (long)pid);
	free(base);
	return dir;
}

static int exec_one(struct supervisor *s, int argc, char **argv)
{
	struct text_list addresses = { 0 }, options = { 0 };
	struct faults faults = { 0 };
	struct settings *settings = NULL;
	char *none[] = { NULL }, *dir;
	int i = 2, rc;

	s->one_command = true;
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "-l") == 0 && i + 1 < argc)
			text_list_add(&addresses, argv[++i]);
		else if (!add_option(&options, argv[i]))
			break;
	}
	dir = take_runtime_dir(&options, link_face(&s->link));
	if (i + 1 < argc && strcmp(argv[i], "--") == 0)
		settings = settings_exec(addresses.count ? addresses.items : none,
					 options.count ? options.items : none, argv + i + 1, dir,
					 &faults);
	else
		faults_add(&faults, NULL, 0, "exec: nothing to run after --");
	rc = settings ? supervisor_run(s, settings) : refuse(s, &faults);
	free(dir);
	text_list_fini(&addresses);
	text_list_fini(&options);
	return rc;
}

/* For tests/lint/fresh: what stands in the tree as the program says it. */
static int print_one(int argc, char **argv)
{
	if (argc == 3 && print_text(argv[2], stdout))
		return fflush(stdout) == 0 ? EXIT_ORDERLY : EXIT_FAILED;
	fputs("holdportd --print takes one of: ", stderr);
	print_words(stderr);
	fputc('\n', stderr);
	return EXIT_CONFIGURATION;
}

/* What a manager does, by the words that its keeper was started with. */
static const struct {
	const char *word;
	int (*act)(struct supervisor *s, int argc, char **argv);
} ways[] = {
	{ "run", run },
	{ "exec", exec_one },
};

static int begin_anew(struct supervisor *s, int argc, char **argv)
{
	for (size_t i = 0; i < COUNT(ways); i++)
		if (strcmp(argv[1], ways[i].word) == 0)
			return ways[i].act(s, argc, argv);
	return usage();
}

/* What the environment says was said to the first manager; its descriptors have
 * become others since. */
static int go_on(struct supervisor *s, int argc, char **argv)
{
	if (!s->memory.custody.settled)
		note_inherited(s);
	forget_inherited();
	take_upward(s);
	deposit_left(&s->upward.deposit, &s->inherited.names);
	if (memory_recall(s))
		return supervisor_run(s, s->settings);
	if (s->succeeds)
		return EXIT_FAILED;
	return begin_anew(s, argc, argv);
}

/* The keeper ended while one image was followed by the other: what it held was left to
 * us as well, and the loop hears that it is gone. */
static bool goes_on_alone(struct supervisor *s, const struct err *err)
{
	if (!s->succeeds || !s->memory.custody.settled || err->code != EPIPE)
		return false;
	s->link.keeper = 0;
	return true;
}

static bool take_custody(struct supervisor *s, int left)
{
	struct custody *c = &s->memory.custody;
	struct err err;
	size_t has;

	custody_init(c, &s->link);
	has = custody_inherit(c, &left);
	if (s->succeeds)
		(void)link_say(&s->link, CHANNEL_TAKE, (int64_t)has, NULL, -1);
	if (custody_open(c, &err) == 0 || goes_on_alone(s, &err))
		return true;
	log_error("%s", err.text);
	return false;
}

/* holdportd manage 5 run -c FILE: as the keeper starts us; succeed 5:9 run -c FILE: as an
 * image before ours goes on as us, and leaves us the file 9. */
static int manage(int argc, char **argv)
{
	int channel = argc > 3 ? atoi(argv[2]) : -1, code = EXIT_FAILED;
	const char *left = channel > STDERR_FILENO ? strchr(argv[2], ':') : NULL;
	struct supervisor s = { .words = argv, .memory = { .left = -1 } };

	if (channel <= STDERR_FILENO)
		return usage();
	tidy_descriptors();
	platform_name_process("holdportd");
	s.succeeds = strcmp(argv[1], KEEPER_SUCCEED) == 0;
	s.environment = mem_words(environ, 0);		/* what is taken out of it later stands here */
	link_init(&s.link, channel);
	if (take_custody(&s, left ? atoi(left + 1) : -1))
		code = go_on(&s, argc - 2, argv + 2);
	upward_stop(&s.upward);
	custody_close(&s.memory.custody);
	snapshot_fini(&s.memory.before);
	link_close(&s.link);
	free(s.environment);
	return code;
}

static int keep(int argc, char **argv)
{
	(void)argc;
	fill_standard();
	return keeper_run(&(struct keeper_start){ .path = argv[0], .words = argv + 1,
						  .above = getenv("NOTIFY_SOCKET"), .left = -1 });
}

/* holdportd keep 9 run -c FILE: a keeper whose manager was upgraded goes on, or a manager
 * whose keeper has ended becomes one. */
static int keep_on(int argc, char **argv)
{
	int left = argc > 3 ? atoi(argv[2]) : -1;

	if (left <= STDERR_FILENO)
		return usage();
	platform_name_process("holdportd");
	return keeper_run(&(struct keeper_start){ .path = argv[0], .words = argv + 3,
						  .above = getenv("NOTIFY_SOCKET"), .left = left });
}

static int check_state(int argc, char **argv)
{
	if (argc != 3)
		return usage();
	fill_standard();
	return preflight_answer(atoi(argv[2]));
}

static const struct {
	const char *word;
	int (*act)(int argc, char **argv);
} modes[] = {
	{ "run", keep },
	{ "exec", keep },
	{ KEEPER_MANAGE, manage },
	{ KEEPER_KEEP, keep_on },
	{ KEEPER_SUCCEED, manage },
	{ PREFLIGHT_WORD, check_state },
	{ SCRIBE_WORD, scribe_run },
	{ "--print", print_one },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < COUNT(modes); i++)
		if (strcmp(argv[1], modes[i].word) == 0)
			return modes[i].act(argc, argv);
	return usage();
}
