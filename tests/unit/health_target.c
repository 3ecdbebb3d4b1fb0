/* What follows "http:" leads to an address and a path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/owner.h"
#include "health/target.h"

static const struct row {
	const char *word, *listen, *url, *via;
} rows[] = {
	{ "/health", "127.0.0.1:8080", "http://127.0.0.1:8080/health", NULL },
	{ "/", "*:8080", NULL, NULL },		/* the family is the system's choice */
	{ "/h?x=1", "0.0.0.0:80", "http://127.0.0.1:80/h?x=1", NULL },
	{ "/", "[::]:80", "http://[::1]:80/", NULL },
	{ "/", "[2001:db8::1]:80", "http://[2001:db8::1]:80/", NULL },
	{ "/h", "unix:/run/web", "http://localhost/h", "unix:/run/web" },
	{ "/h", "unix:@web", "http://localhost/h", "unix:@web" },
	{ "//127.0.0.1:8101/h", "*:1", "http://127.0.0.1:8101/h", NULL },
	{ "//unix:/run/web.1:/h", "*:1", "http://localhost/h", "unix:/run/web.1" },
	{ "//unix:/run/web.1", "*:1", "http://localhost/", "unix:/run/web.1" },
	{ "//unix:@web.1:/h", "*:1", "http://localhost/h", "unix:@web.1" },
	{ "//127.0.0.1:8101/h", NULL, "http://127.0.0.1:8101/h", NULL },
};

static void same(const char *is, const char *expected)
{
	if (expected)
		assert_string_equal(is, expected);
	else
		assert_null(is);
}

static void each_form_leads_somewhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct held h = { .key.type = SOCK_STREAM }, *held[] = { &h };
		struct target t;
		struct err err;

		if (rows[i].listen)
			assert_int_equal(address_parse(rows[i].listen, &h.key.address, &err), 0);
		assert_int_equal(target_make(rows[i].word, held, rows[i].listen != NULL, &t, &err),
				 0);
		if (rows[i].url)
			same(t.url, rows[i].url);
		else	/* a wildcard is reached on loopback, whichever it is */
			assert_null(strchr(t.url, '*'));
		same(t.via, rows[i].via);
		target_fini(&t);
	}
}

static void what_leads_nowhere_says_so(void **state)
{
	struct held h = { .key.type = SOCK_DGRAM }, *held[] = { &h };
	struct target t;
	struct err err;

	(void)state;
	assert_int_equal(target_make("/h", NULL, 0, &t, &err), -1);
	assert_int_equal(target_make("/h", held, 1, &t, &err), -1);
	assert_non_null(strstr(err.text, "stream socket"));
	assert_int_equal(target_make("//unix::/h", NULL, 0, &t, &err), -1);
	assert_non_null(strstr(err.text, "names no unix socket"));
	assert_null(t.url);
}

static void an_address_of_its_own_is_told_from_a_shared_one(void **state)
{
	(void)state;
	assert_true(target_is_own("//127.0.0.1:80/"));
	assert_true(target_is_own("//unix:/run/x:/"));
	assert_false(target_is_own("/health"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_leads_somewhere),
		cmocka_unit_test(what_leads_nowhere_says_so),
		cmocka_unit_test(an_address_of_its_own_is_told_from_a_shared_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
