/* What a user may write for an address, and what is said about the rest. */
#include "socket_support.h"

#include "base/owner.h"

static void what_is_written_comes_back(void **state)
{
	static const struct {
		const char *written, *text, *host;
		int port;
	} rows[] = {
		{ "8080",		 "*:8080",	     "*",	   8080 },
		{ "*:8080",		 "*:8080",	     "*",	   8080 },
		{ "127.0.0.1:1",	 "127.0.0.1:1",	     "127.0.0.1",  1 },
		{ "0.0.0.0:65535",	 "0.0.0.0:65535",    "0.0.0.0",	   65535 },
		{ "[::1]:80",		 "[::1]:80",	     "::1",	   80 },
		{ "[0:0::0]:80",	 "[::]:80",	     "::",	   80 },
		{ "[fe80::1%lo]:80",	 "[fe80::1%lo]:80",  "fe80::1%lo", 80 },
		{ "[fe80::1%1]:80",	 "[fe80::1%lo]:80",  "fe80::1%lo", 80 },
		{ "unix:/run/x.sock",	 "unix:/run/x.sock", "/run/x.sock", -1 },
		{ "unix:@name",		 "unix:@name",	     "@name",	   -1 },
	};
	char buf[ADDRESS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = { 0 };
		struct address a;

		if (address_parse(rows[i].written, &a, &err))
			fail_msg("%s: %s", rows[i].written, err.text);
		assert_string_equal(address_text(&a, buf), rows[i].text);
		assert_string_equal(address_host(&a, buf), rows[i].host);
		assert_int_equal(address_port(&a), rows[i].port);
	}
}

static void a_fault_says_what_would_be_right(void **state)
{
	static const struct {
		const char *written, *said;
	} rows[] = {
		{ "",			"lacks a port" },
		{ "localhost",		"lacks a port; write PORT, HOST:PORT" },
		{ ":80",		"write *:80 for every address" },
		{ "0",			"from 1 to 65535" },
		{ "65536",		"from 1 to 65535" },
		{ "*:",			"\"\" is not a port" },
		{ "127.0.0.1:http",	"\"http\" is not a port" },
		{ "127.0.0.1:+80",	"\"+80\" is not a port" },
		{ "127.0.0.1:0000080",	"is not a port" },
		{ "10.1:80",		"\"10.1\" is not an IPv4 address" },
		{ "256.0.0.1:80",	"\"256.0.0.1\" is not an IPv4 address" },
		{ "::1:80",		"stands in brackets, [::1]:80" },
		{ "[::1]80",		"is not [ADDRESS]:PORT" },
		{ "[::1",		"is not [ADDRESS]:PORT" },
		{ "[1.2.3.4]:80",	"\"1.2.3.4\" is not an IPv6 address" },
		{ "[fe80::1]:80",	"name it: [fe80::1%eth0]:80" },
		{ "[fe80::1%nowhere]:80", "there is no interface \"nowhere\"" },
		{ "[::ffff:127.0.0.1]:80", "write 127.0.0.1:80" },
		{ "unix:x.sock",	"write unix:/path" },
		{ "unix:",		"write unix:/path" },
		{ "unix:@",		"lacks a name" },
		{ "unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
		  "01234567890123456789012345678901234567", "takes paths of at most 107" },
		/* Too long a label: the resolver says no without asking the network. */
		{ "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.:80",
		  "cannot resolve \"xxxx" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct address a, untouched;
		struct err err = { 0 };

		memset(&a, 0x55, sizeof(a));
		untouched = a;
		assert_int_equal(address_parse(rows[i].written, &a, &err), -1);
		if (!strstr(err.text, rows[i].said))
			fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].written, err.text,
				 rows[i].said);
		assert_memory_equal(&a, &untouched, sizeof(a));
	}
}

static void the_longest_path_is_taken_whole(void **state)
{
	char written[5 + 107 + 1] = "unix:/", buf[ADDRESS_TEXT_SIZE];
	struct address a;

	(void)state;
	memset(written + 6, 'x', 106);
	assert_int_equal(address_parse(written, &a, NULL), 0);
	assert_string_equal(address_text(&a, buf), written);
	assert_string_equal(address_path(&a), written + 5);
}

static void only_a_path_has_a_path(void **state)
{
	struct address a;

	(void)state;
	assert_int_equal(address_parse("unix:@name", &a, NULL), 0);
	assert_null(address_path(&a));
	assert_int_equal(address_parse("80", &a, NULL), 0);
	assert_null(address_path(&a));
	assert_true(a.any);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(a_fault_says_what_would_be_right),
		cmocka_unit_test(the_longest_path_is_taken_whole),
		cmocka_unit_test(only_a_path_has_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
