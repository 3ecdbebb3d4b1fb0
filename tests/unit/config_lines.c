/* What the reader makes of lines: lengths, comments, continuations, bytes. */
#include "config_case.h"

#include "config/ini_lines.h"

#define PROGRAM "[program:a]\n"

static const char *word(const struct settings *s, size_t i)
{
	assert_true(i < s->programs[0]->command.count);
	return s->programs[0]->command.items[i];
}

static void a_semicolon_in_a_command_is_no_comment(void **state)
{
	struct settings *s = case_good(PROGRAM "command = sh -c 'a ; b ;c' ;d # e\n");

	(void)state;
	assert_string_equal(word(s, 2), "a ; b ;c");
	assert_string_equal(word(s, 3), ";d");
	assert_string_equal(word(s, 4), "#");
	settings_unref(s);
}

static void comments_start_only_at_the_left_edge(void **state)
{
	struct settings *s = case_good("; one\n# two\n" PROGRAM "command = a\n  # b\n# no\n  ;c\n");

	(void)state;
	assert_int_equal(s->programs[0]->command.count, 4);
	assert_string_equal(word(s, 1), "#");
	assert_string_equal(word(s, 3), ";c");
	settings_unref(s);
}

static struct settings *long_command(size_t length, char fill)
{
	char *text = mem_new(length + 64), *value;
	struct settings *s;
	int head = sprintf(text, PROGRAM "command = '");

	value = text + head;
	for (size_t i = 0; i < length; i++)
		value[i] = i % 7 == 3 ? ' ' : i % 11 == 5 ? ';' : fill;
	value[0] = value[length - 1] = 'x';
	strcpy(value + length, "'\n");
	s = case_load(text);
	if (s) {
		value[length] = '\0';
		assert_string_equal(word(s, 0), value);
	}
	free(text);
	return s;
}

static void a_value_survives_every_seam_byte_by_byte(void **state)
{
	(void)state;
	for (size_t length = 150; length < 650; length++) {
		struct settings *s = long_command(length, length % 2 ? 'a' : ' ');

		assert_non_null(s);
		settings_unref(s);
	}
}

static void a_line_may_be_64_kib_long_and_no_longer(void **state)
{
	struct settings *s = long_command(INI_LINE_MOST - strlen("command = ''"), 'a');

	(void)state;
	assert_non_null(s);
	settings_unref(s);
	assert_null(long_command(INI_LINE_MOST - strlen("command = ''") + 1, 'a'));
	assert_non_null(strstr(case_said, "main.conf:2: the line is longer than 64 KiB"));
	assert_int_equal(case_fault_count(), 1);
}

static void blanks_fill_a_whole_piece_without_getting_lost(void **state)
{
	char text[1024];
	struct settings *s;

	(void)state;
	(void)snprintf(text, sizeof(text), PROGRAM "command = 'x%500sy'\n", "");
	s = case_good(text);
	assert_int_equal(strlen(word(s, 0)), 502);
	settings_unref(s);
}

static void indented_lines_continue_a_value(void **state)
{
	struct settings *s =
		case_good(PROGRAM "command = a\n\tb\n  c\nenvironment =\n A=1\n B=2\n");

	(void)state;
	assert_int_equal(s->programs[0]->command.count, 3);
	assert_string_equal(word(s, 2), "c");
	assert_int_equal(s->programs[0]->environment.count, 2);
	settings_unref(s);
}

static void an_indented_line_behind_a_gap_is_a_fault(void **state)
{
	(void)state;
	case_fault(PROGRAM "command = a\n \n  b\n",
		   "main.conf:4: an indented line after an empty one");
}

static void lines_may_end_in_cr_lf_and_the_last_in_nothing(void **state)
{
	struct settings *s = case_good("\xef\xbb\xbf" PROGRAM "command = a\r\n\tb\r\nworkers = 3");

	(void)state;
	assert_string_equal(word(s, 1), "b");
	assert_int_equal(s->programs[0]->workers, 3);
	settings_unref(s);
}

static void bytes_that_are_no_text_are_refused_with_their_line(void **state)
{
	static const char *const bytes[] = { "\001", "\002", "\003", "\004", "\033", "\f", "a\rb" };
	static const char nul[] = PROGRAM "command = a\0b\n";

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), PROGRAM "\ncommand = a %s b\n", bytes[i]);
		case_fault(text, "main.conf:3: a c");
		assert_int_equal(case_fault_count(), 1);
	}
	case_write("nul.conf", nul, sizeof(nul) - 1);
	assert_null(case_load_file("nul.conf"));
	assert_non_null(strstr(case_said, "nul.conf:2: a control character or NUL byte"));
}

static void every_line_that_cannot_be_read_is_a_fault(void **state)
{
	(void)state;
	case_fault("[program:a\ncommand\n[x] y\n= z\n" PROGRAM "command = a\nbare word\n[]\n",
		   "main.conf:1: \"[\" without \"]\"");
	assert_non_null(strstr(case_said, ":2: no \"=\" in the line; write \"key = value\""));
	assert_non_null(strstr(case_said, ":3: text behind \"]\""));
	assert_non_null(strstr(case_said, ":4: a name is missing"));
	assert_non_null(strstr(case_said, ":7: no \"=\" in the line"));
	assert_non_null(strstr(case_said, ":8: a name is missing"));
	assert_int_equal(case_fault_count(), 6);
}

static void names_that_the_library_would_cut_are_refused(void **state)
{
	char text[256], name[64] = { 0 };
	struct settings *s;

	(void)state;
	memset(name, 'n', INI_NAME_MOST - strlen("program:"));
	(void)snprintf(text, sizeof(text), "[program:%s]\ncommand = a\n", name);
	s = case_good(text);
	assert_string_equal(s->programs[0]->name, name);
	settings_unref(s);
	(void)snprintf(text, sizeof(text), "[program:%sn]\ncommand = a\n", name);
	case_fault(text, "main.conf:1: the name is longer than 49 characters");
	memset(name, 'k', INI_NAME_MOST + 1);
	(void)snprintf(text, sizeof(text), PROGRAM "command = a\n%s = 1\n", name);
	case_fault(text, "main.conf:3: the name is longer than 49 characters");
}

CASES(CASE(a_semicolon_in_a_command_is_no_comment), CASE(comments_start_only_at_the_left_edge),
      CASE(a_value_survives_every_seam_byte_by_byte), CASE(a_line_may_be_64_kib_long_and_no_longer),
      CASE(blanks_fill_a_whole_piece_without_getting_lost), CASE(indented_lines_continue_a_value),
      CASE(an_indented_line_behind_a_gap_is_a_fault),
      CASE(lines_may_end_in_cr_lf_and_the_last_in_nothing),
      CASE(bytes_that_are_no_text_are_refused_with_their_line),
      CASE(every_line_that_cannot_be_read_is_a_fault),
      CASE(names_that_the_library_would_cut_are_refused), )
