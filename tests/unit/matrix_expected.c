/* The rule of a second bind against every cell of tests/data/bind_matrix.txt, which
 * stories find this kernel to follow. */
#include "socket_support.h"

#include <errno.h>
#include <stdio.h>

#include "base/owner.h"
#include "matrix/matrix.h"

enum { CELLS = 9 * 6 * 9 * 16 + 3 * 2 * 16, TITLES = 16 };

static unsigned told;	/* cells that were compared */

static int index_of_word(const char *word, const char *(*word_of)(int i), int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(word_of(i), word) == 0)
			return i;
	fail_msg("what is \"%s\"?", word);
	return -1;
}

static const char *state_word(int i)
{
	return matrix_state_word((enum matrix_state)i);
}

static const char *address_word(int i)
{
	return matrix_address_word((enum matrix_address)i);
}

static const char *family_word(int i)
{
	return matrix_family_word((enum matrix_kind)(i / MATRIX_KINDS),
				  (enum matrix_kind)(i % MATRIX_KINDS));
}

static int result_of(const char *word)
{
	return strcmp(word, "ok") == 0 ? 0 : strcmp(word, "x") == 0 ? EADDRINUSE : EADDRNOTAVAIL;
}

/* "LISTEN  x x …" at one place: 16 cells. */
static void compare_row(struct matrix_cell c, const char *row)
{
	char line[256], *save, *word;

	(void)snprintf(line, sizeof(line), "%s", row);
	word = strtok_r(line, " ", &save);
	c.state = (enum matrix_state)index_of_word(word, state_word, MATRIX_STATES);
	for (unsigned i = 0; i < 16; i++) {
		word = strtok_r(NULL, " ", &save);
		assert_non_null(word);
		c.first.options = i / 4;
		c.second.options = i % 4;
		if (matrix_expected(&c) != result_of(word))
			fail_msg("%s: %s > %s: %s: first %s, second %s: not \"%s\"",
				 matrix_family_word(c.first.kind, c.second.kind),
				 matrix_address_word(c.first.address),
				 matrix_address_word(c.second.address), row,
				 matrix_options_word(i / 4), matrix_options_word(i % 4), word);
		told++;
	}
}

/* "specific > wildcard, other" */
static void compare_pairs(struct matrix_cell c, char *pairs, const char *row)
{
	char *save, *seconds = strstr(pairs, " > ");

	assert_non_null(seconds);
	*seconds = '\0';
	c.first.address = (enum matrix_address)index_of_word(pairs, address_word, MATRIX_ADDRESSES);
	for (char *s = strtok_r(seconds + 3, ", ", &save); s; s = strtok_r(NULL, ", ", &save)) {
		c.second.address = (enum matrix_address)index_of_word(s, address_word,
								      MATRIX_ADDRESSES);
		compare_row(c, row);
	}
}

/* "ipv4/dual-stack: wildcard > wildcard; specific > wildcard, other" */
static void compare_title(const char *title, const char *row)
{
	char line[256], *pairs, *next, *family = line;
	struct matrix_cell c = { .result = 0 };
	int kinds;

	(void)snprintf(line, sizeof(line), "%s", title);
	if (strncmp(family, "clients, ", 9) == 0)
		family += 9;
	pairs = strstr(family, ": ");
	assert_non_null(pairs);
	*pairs = '\0';
	kinds = index_of_word(family, family_word, MATRIX_KINDS * MATRIX_KINDS);
	c.first.kind = (enum matrix_kind)(kinds / MATRIX_KINDS);
	c.second.kind = (enum matrix_kind)(kinds % MATRIX_KINDS);
	for (pairs += 2; pairs; pairs = next) {
		next = strstr(pairs, "; ");
		if (next) {
			*next = '\0';
			next += 2;
		}
		compare_pairs(c, pairs, row);
	}
}

static void every_cell_that_was_measured_follows_from_the_rule(void **state)
{
	char titles[TITLES][256], line[256];
	FILE *in = fopen("data/bind_matrix.txt", "re");
	size_t count = 0;

	(void)state;
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!*line) {
			count = 0;
		} else if (strchr(line, ':')) {
			assert_true(count < TITLES);
			memcpy(titles[count++], line, sizeof(line));
		} else if (strncmp(line, "first ", 6) != 0 && strncmp(line, "second ", 7) != 0) {
			for (size_t i = 0; i < count; i++)
				compare_title(titles[i], line);
		}
	}
	(void)fclose(in);
	assert_int_equal(told, CELLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_that_was_measured_follows_from_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
