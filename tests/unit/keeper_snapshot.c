/* What was written is read, whatever else stands there, and wherever it was torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "keeper/journal.h"
#include "keeper/snapshot.h"

static void a_fact_is_read_as_it_was_written(void **state)
{
	const char text[] = "a \"quoted\" \\ back\nslash\x01\x7f \xc3\xa4 end";
	struct str out = { 0 };
	struct fact f;

	(void)state;
	fact_begin(&out, "worker");
	fact_number(&out, "pid", -4711);
	fact_text(&out, "status", text);
	fact_text(&out, "nothing", NULL);
	fact_text(&out, "empty", "");
	fact_end(&out);
	assert_int_equal(fact_read(str_text(&out), out.length - 1, &f), 0);
	assert_true(fact_is(&f, "worker"));
	assert_int_equal(fact_int(&f, "pid", 0), -4711);
	assert_string_equal(fact_get(&f, "status"), text);
	assert_null(fact_get(&f, "nothing"));
	assert_string_equal(fact_get(&f, "empty"), "");
	assert_int_equal(fact_int(&f, "status", 5), 5);
	assert_int_equal(fact_int(&f, "not-there", 6), 6);
	fact_fini(&f);
	str_fini(&out);
}

static void what_is_no_fact_is_refused(void **state)
{
	static const char *const wrong[] = { "", " ", "Word", "a b", "a =1", "a b=\"c",
					     "a b=\"\\x0\"", "a b=\"\\x00\"", "a b=\"c\"d", "a  b=1" };
	struct fact f;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(fact_read(wrong[i], strlen(wrong[i]), &f), -1);
}

static size_t count(const struct list *l)
{
	size_t n = 0;

	list_each(b, l, struct snapshot_block, node)
		n++;
	return n;
}

static const char whole[] =
	"holdport-state format=1 version=\"9.9\"\n"
	"supervisor settings=1\n"
	"settings id=1 file=\"/etc/x\"\n"
	"line text=\"[supervisor]\"\n"
	"end\n"
	"a-word-of-later version=10\n"
	"socket held=3 name=\"http\"\n"
	"program name=\"a\" wish=1\n"
	"generation number=1\n"
	"end\n"
	"program name=\"b\" wish=1\n"
	"end\n"
	"event number=1 json=\"{}\"\n"
	"program name=\"a\" wish=2\n"
	"end\n"
	"socket held=4 name=\"other\"\n"
	"socket held=3 gone=1\n"
	"program name=\"b\" gone=1\n"
	"request name=\"x\" method=\"m\"\n"
	"asked id=\"x/0\" request=\"x\" program=\"a\"\n"
	"request name=\"y\" method=\"m\"\n"
	"asked id=\"x/0\" request=\"x\" program=\"a\" result=\"{}\"\n"
	"request name=\"y\" gone=1\n"
	"supervisor settings=1 reloads=2\n";

static void the_last_word_counts(void **state)
{
	struct snapshot_block *a;
	struct snapshot s;

	(void)state;
	assert_int_equal(snapshot_read(whole, strlen(whole), &s, NULL), 0);
	assert_int_equal(fact_int(&s.supervisor, "reloads", 0), 2);
	assert_int_equal(count(&s.programs), 1);
	a = OWNER(s.programs.next, struct snapshot_block, node);
	assert_int_equal(fact_int(&a->head, "wish", 0), 2);
	assert_int_equal(a->count, 0);
	assert_int_equal(count(&s.sockets), 1);
	assert_int_equal(count(&s.events), 1);
	assert_int_equal(count(&s.requests), 1);
	assert_int_equal(count(&s.asked), 1);
	a = OWNER(s.asked.next, struct snapshot_block, node);
	assert_string_equal(fact_get(&a->head, "result"), "{}");
	assert_int_equal(snapshot_settings(&s, 1)->count, 1);
	assert_null(snapshot_settings(&s, 2));
	snapshot_fini(&s);
}

/* So that it is known what was written of something last. */
static void a_block_has_the_text_that_it_was_read_from(void **state)
{
	struct snapshot_block *a;
	struct snapshot s;

	(void)state;
	assert_int_equal(snapshot_read(whole, strlen(whole), &s, NULL), 0);
	a = OWNER(s.programs.next, struct snapshot_block, node);
	assert_memory_equal(a->text, "program name=\"a\" wish=2\nend\n", a->length);
	assert_int_equal(a->length, strlen("program name=\"a\" wish=2\nend\n"));
	a = OWNER(s.sockets.next, struct snapshot_block, node);
	assert_memory_equal(a->text, "socket held=4 name=\"other\"\n", a->length);
	snapshot_fini(&s);
}

static void a_text_says_how_long_its_checkpoint_is(void **state)
{
	struct str text = { 0 };
	struct snapshot s;
	size_t checkpoint;

	(void)state;
	snapshot_begin(&text);
	checkpoint = text.length;
	snapshot_end(&text);
	str_add(&text, "event number=1 js");
	assert_int_equal(snapshot_read(str_text(&text), text.length, &s, NULL), 0);
	assert_int_equal(s.checkpoint, checkpoint);
	assert_int_equal(s.length, text.length);
	assert_true(s.torn);
	snapshot_fini(&s);
	assert_int_equal(snapshot_read(whole, strlen(whole), &s, NULL), 0);
	assert_int_equal(s.checkpoint, 0);
	assert_false(s.torn);
	snapshot_fini(&s);
	str_fini(&text);
}

/* A writer is killed in the midst of a write(2). */
static void wherever_it_is_torn_what_was_whole_before_is_there(void **state)
{
	size_t first = strlen("holdport-state format=1 version=\"9.9\"\n");

	(void)state;
	for (size_t length = 0; length <= strlen(whole); length++) {
		struct snapshot s;
		bool read = snapshot_read(whole, length, &s, NULL) == 0;

		assert_int_equal(read, length >= first);
		if (!read)
			continue;
		list_each(b, &s.programs, struct snapshot_block, node)
			assert_true(fact_int(&b->head, "wish", 0) > 0);
		snapshot_fini(&s);
	}
}

static void another_format_is_refused_by_name(void **state)
{
	struct snapshot s;
	struct err err;

	(void)state;
	assert_int_equal(snapshot_read("holdport-state format=2\n", 24, &s, &err), -1);
	assert_non_null(strstr(err.text, "format is 2"));
	assert_int_equal(snapshot_read("nonsense\n", 9, &s, &err), -1);
}

static void a_journal_holds_the_checkpoint_and_what_came_since(void **state)
{
	char dir[] = "/tmp/holdport-journal-XXXXXX", *path, *text;
	struct journal j;
	size_t length;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = mem_format("%s/state", dir);
	journal_init(&j, mem_text(path));
	assert_int_equal(journal_checkpoint(&j, "one\n", 4, NULL), 0);
	journal_append(&j, "two\n", 4);
	text = journal_read(j.fd, &length);
	assert_string_equal(text, "one\ntwo\n");
	free(text);
	text = fd_read_file(path, 1000);
	assert_string_equal(text, "one\ntwo\n");
	free(text);
	assert_int_equal(journal_checkpoint(&j, "three\n", 6, NULL), 0);
	text = fd_read_file(path, 1000);
	assert_string_equal(text, "three\n");
	free(text);
	journal_close(&j, true);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rmdir(dir), 0);
	free(path);
}

static void append_to_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "ae");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void a_journal_is_written_on_by_a_successor(void **state)
{
	char dir[] = "/tmp/holdport-journal-XXXXXX", *path, *text;
	struct journal first, second;
	size_t length;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = mem_format("%s/state", dir);
	journal_init(&first, mem_text(path));
	journal_init(&second, mem_text(path));
	assert_int_equal(journal_checkpoint(&first, "one\n", 4, NULL), 0);
	fd = fcntl(first.fd, F_DUPFD_CLOEXEC, 0);
	journal_close(&first, false);
	assert_int_equal(journal_go_on(&second, &fd, 4, 4), 0);
	assert_int_equal(fd, -1);
	journal_append(&second, "two\n", 4);
	free(journal_read(second.fd, &length));
	assert_int_equal(length, 8);
	text = fd_read_file(path, 1000);
	assert_string_equal(text, "one\ntwo\n");
	free(text);
	/* The file has something that the other has not, or is gone. */
	fd = fcntl(second.fd, F_DUPFD_CLOEXEC, 0);
	journal_close(&second, false);
	append_to_file(path, "three");
	journal_init(&second, mem_text(path));
	assert_int_equal(journal_go_on(&second, &fd, 8, 4), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(journal_go_on(&second, &fd, 8, 4), -1);
	assert_true(fd >= 0);
	fd_close(&fd);
	journal_close(&second, false);
	assert_int_equal(rmdir(dir), 0);
	free(path);
}

/* The cost of a change does not grow: checkpoints come as the text doubles. */
static void a_journal_is_long_when_it_has_doubled(void **state)
{
	struct journal j;
	char line[4096] = "";
	unsigned checkpoints = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	journal_init(&j, NULL);
	assert_int_equal(journal_checkpoint(&j, line, sizeof(line), NULL), 0);
	for (int i = 0; i < 1000; i++) {
		journal_append(&j, line, sizeof(line));
		if (!journal_is_long(&j))
			continue;
		checkpoints++;
		assert_int_equal(journal_checkpoint(&j, line, sizeof(line), NULL), 0);
	}
	assert_in_range(checkpoints, 1, 20);
	journal_close(&j, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fact_is_read_as_it_was_written),
		cmocka_unit_test(what_is_no_fact_is_refused),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(a_block_has_the_text_that_it_was_read_from),
		cmocka_unit_test(a_text_says_how_long_its_checkpoint_is),
		cmocka_unit_test(wherever_it_is_torn_what_was_whole_before_is_there),
		cmocka_unit_test(another_format_is_refused_by_name),
		cmocka_unit_test(a_journal_holds_the_checkpoint_and_what_came_since),
		cmocka_unit_test(a_journal_is_written_on_by_a_successor),
		cmocka_unit_test(a_journal_is_long_when_it_has_doubled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
