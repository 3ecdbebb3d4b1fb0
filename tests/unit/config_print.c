/* Settings as text, and what a difference costs. */
#include "config_case.h"

#include "config/option.h"

static char *printed(const struct settings *s, bool with_defaults)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	settings_print(s, with_defaults ? SETTINGS_EVERY_KEY : SETTINGS_CHANGED, out);
	(void)fclose(out);
	return text;
}

static const char full[] =
	"[supervisor]\nruntime_dir = /r$$un\nlog = /log\nlog_level = debug\n"
	"[socket:s]\nlisten = 127.0.0.1:18080\n\tunix:/x y\nexclusive = yes\nnon_blocking = no\n"
	"keep_alive = yes\nkeep_alive_idle = 90s\nreceive_buffer = 64K\nmptcp = yes\nmode = 0600\n"
	"[program:p]\ncommand = sh -c 'a; \"b\" it'\\''s $$x ${fd:s:1}' ;x ''\n"
	"environment = A=1 ; 2\n B=${worker}\nsockets = s\nhandoff = stdin, nginx\nworkers = auto\n"
	"umask = 0\nlimit_nofile = 1K:unlimited\nlimit_core = 0\nready = fd:9\nstdout = inherit\n"
	"stderr = null\nstop = HUP:1500ms TERM:2m KILL\nsuccess_exit_codes = 1, 2\n"
	"pid_file = p$$/${slot}.pid\nrestart = on-failure\n";

static void settings_are_printed_as_a_file_that_gives_them_again(void **state)
{
	(void)state;
	for (int with_defaults = 0; with_defaults < 2; with_defaults++) {
		struct settings *s = case_good(full), *again;
		char *text = printed(s, with_defaults), *text_again;
		struct text_list keys = { 0 };

		again = case_good(text);
		text_again = printed(again, with_defaults);
		assert_string_equal(text, text_again);
		assert_int_equal(program_settings_effect(s->programs[0], again->programs[0], &keys),
				 EFFECT_NONE);
		assert_int_equal(socket_settings_effect(s->sockets[0], again->sockets[0], &keys),
				 EFFECT_NONE);
		assert_int_equal(keys.count, 0);
		assert_string_equal(again->programs[0]->command.items[2],
				    "a; \"b\" it's $$x ${fd:s:1}");
		free(text);
		free(text_again);
		settings_unref(again);
		settings_unref(s);
	}
}

static void only_what_differs_from_its_preset_is_printed(void **state)
{
	struct settings *s = case_good("[program:p]\ncommand = x\nworkers = 2\nrestart = always\n");
	char *text = printed(s, false), *all = printed(s, true);

	(void)state;
	assert_non_null(strstr(text, "[program:p]\ncommand = x\nworkers = 2\n"));
	assert_null(strstr(text, "restart ="));
	assert_non_null(strstr(all, "restart = always\n"));
	free(text);
	free(all);
	settings_unref(s);
}

static enum effect effect_of(const char *line, const char *key)
{
	char text[512];
	struct text_list keys = { 0 };
	struct settings *was, *now;
	enum effect e;

	(void)snprintf(text, sizeof(text), "[program:p]\ncommand = x\n%s", "");
	was = case_good(text);
	(void)snprintf(text, sizeof(text), "[program:p]\n%s%s\n",
		       strncmp(line, "command", 7) ? "command = x\n" : "", line);
	now = case_good(text);
	e = program_settings_effect(was->programs[0], now->programs[0], &keys);
	assert_int_equal(keys.count, key != NULL);
	if (key)
		assert_string_equal(keys.items[0], key);
	text_list_fini(&keys);
	settings_unref(was);
	settings_unref(now);
	return e;
}

static void a_difference_costs_what_its_row_says(void **state)
{
	(void)state;
	assert_int_equal(effect_of("start_timeout = 1m", NULL), EFFECT_NONE);
	assert_int_equal(effect_of("workers = 2", "workers"), EFFECT_LIVE);
	assert_int_equal(effect_of("command = x y", "command"), EFFECT_RESTART);
	assert_int_equal(effect_of("limit_nofile = 5", "limit_nofile"), EFFECT_RESTART);
	assert_string_equal(effect_word(EFFECT_REBIND), "rebind");
}

static void a_changed_environment_file_is_a_difference(void **state)
{
	static const char text[] = "[program:p]\ncommand = x\nenvironment_file = e\n";
	struct settings *was, *now;

	(void)state;
	case_put("e", "A=1\n");
	was = case_good(text);
	case_put("e", "A=2\n");
	now = case_good(text);
	assert_int_equal(program_settings_effect(was->programs[0], now->programs[0], NULL),
			 EFFECT_RESTART);
	settings_unref(was);
	settings_unref(now);
}

static void every_row_has_help_a_preset_that_reads_and_one_name(void **state)
{
	const struct reading r = { .here = "/", .program = "p" };

	(void)state;
	for (const struct section_kind *k = section_kinds; k->word; k++)
		for (const struct option *o = k->options; o->key; o++) {
			void *object = mem_new(k->size);
			struct str text = { 0 };

			assert_true(o->help && strlen(o->help) > 10);
			assert_true(o->effect != EFFECT_NONE);
			assert_int_equal(option_read(o, o->preset, &r, object, NULL), 0);
			o->type->print(o, object, &text);
			if (o->type->fini)
				o->type->fini(o, object);
			assert_ptr_equal(option_find(k->options, o->key), o);
			for (const char *const *n = k->not_yet; *n; n++)
				assert_string_not_equal(*n, o->key);
			str_fini(&text);
			free(object);
		}
}

static char *of_stream(void (*print)(FILE *))
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	print(out);
	(void)fclose(out);
	return text;
}

static void the_example_is_a_valid_file_that_does_nothing(void **state)
{
	char *text = of_stream(settings_print_example), *in_tree;
	struct settings *s = case_good(text);
	FILE *f = fopen("../conf/holdport.conf", "r");

	(void)state;
	assert_int_equal(s->program_count + s->socket_count, 0);
	settings_unref(s);
	if (f) {
		in_tree = mem_new(strlen(text) + 2);
		(void)!fread(in_tree, 1, strlen(text) + 1, f);
		(void)fclose(f);
		assert_string_equal(in_tree, text);
		free(in_tree);
	}
	free(text);
}

/* Every "#key = value" with its # taken away is the same as the presets. */
static void the_example_without_its_marks_shows_the_presets(void **state)
{
	char *text = of_stream(settings_print_example), *from;
	struct settings *s;

	(void)state;
	from = strstr(text, "\n#[supervisor]");
	assert_non_null(from);
	for (char *p = from; p && (p = strstr(p, "\n#")); p++)
		if (p[2] != ' ')
			p[1] = ' ';
	for (char *p = from; (p = strstr(p, "\n ")); p++)
		memmove(p + 1, p + 2, strlen(p + 2) + 1);
	assert_null(case_load(from));
	assert_non_null(strstr(case_said, "[socket:NAME] has no listen"));
	assert_non_null(strstr(case_said, "[program:NAME] has no command"));
	assert_int_equal(case_fault_count(), 2);
	s = case_good("");
	settings_unref(s);
	free(text);
}

static void the_reference_names_every_key_and_its_effect(void **state)
{
	char *text = of_stream(settings_print_reference), line[128];

	(void)state;
	for (const struct section_kind *k = section_kinds; k->word; k++)
		for (const struct option *o = k->options; o->key; o++) {
			(void)snprintf(line, sizeof(line), "\n  %s =%s%s\n", o->key,
				       *o->preset ? " " : "", o->preset);
			assert_non_null(strstr(text, line));
		}
	assert_non_null(strstr(text, "duration; a change: live"));
	free(text);
}

static char *kept(const struct settings *s)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	settings_print(s, SETTINGS_KEPT, out);
	(void)fclose(out);
	return text;
}

static struct settings *restored(const char *text, struct faults *faults)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct settings *s;

	assert_non_null(in);
	s = settings_restore(in, "/etc/x.conf", faults);
	(void)fclose(in);
	return s;
}

/* Written down and read again they are the same; takes s.  All of them as text. */
static char *kept_and_restored(struct settings *s)
{
	struct faults faults = { 0 };
	char *text = kept(s), *every = printed(s, true), *every_again;
	struct settings *again = restored(text, &faults);

	assert_non_null(again);
	every_again = printed(again, true);
	assert_string_equal(every, every_again);
	free(text);
	free(every_again);
	settings_unref(s);
	settings_unref(again);
	return every;
}

static void what_is_kept_gives_the_same_settings(void **state)
{
	(void)state;
	free(kept_and_restored(case_good(full)));
}

/* `stop` is another one under nginx, where nobody says it. */
static void what_other_keys_would_decide_is_kept(void **state)
{
	char *every = kept_and_restored(case_good("[program:p]\ncommand = x\nhandoff = nginx\n"
						  "stop = TERM:30s KILL\n"));

	(void)state;
	assert_non_null(strstr(every, "stop = TERM:30s KILL"));
	free(every);
}

/* Another version, whose presets are others, and which knows keys that we do not. */
static void presets_of_another_version_are_in_force(void **state)
{
	struct faults faults = { 0 };
	struct settings *s = restored("[presets.program]\nrestart_delay = 7s\nworkers = 3\n"
				      "later_key = 1\n[presets.later]\nkey = 1\n"
				      "[supervisor]\nruntime_dir = /r\n"
				      "[program:p]\ncommand = x\nworkers = 2\n"
				      "[program:q]\ncommand = x\n", &faults);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->programs[0]->workers, 2);
	assert_int_equal(s->programs[1]->workers, 3);
	assert_int_equal(s->programs[1]->restart_delay, 7000);
	settings_unref(s);
}

static void a_key_that_was_set_and_is_not_known_is_refused(void **state)
{
	struct faults faults = { 0 };

	(void)state;
	assert_null(restored("[presets.program]\nlater_key = 1\n[program:p]\ncommand = x\n"
			     "later_key = 2\n", &faults));
	assert_non_null(strstr(faults.items[0].text, "unknown key \"later_key\""));
	faults_fini(&faults);
}

CASES(CASE(settings_are_printed_as_a_file_that_gives_them_again),
      CASE(only_what_differs_from_its_preset_is_printed),
      CASE(a_difference_costs_what_its_row_says), CASE(a_changed_environment_file_is_a_difference),
      CASE(every_row_has_help_a_preset_that_reads_and_one_name),
      CASE(the_example_is_a_valid_file_that_does_nothing),
      CASE(the_example_without_its_marks_shows_the_presets),
      CASE(the_reference_names_every_key_and_its_effect),
      CASE(what_is_kept_gives_the_same_settings), CASE(what_other_keys_would_decide_is_kept),
      CASE(presets_of_another_version_are_in_force),
      CASE(a_key_that_was_set_and_is_not_known_is_refused), )
