/* Every option is set and read back from the kernel. */
#include "socket_support.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "base/owner.h"
#include "socket/open.h"
#include "socket/tune.h"

enum { V4, V6, DUAL, UNIX };
static const char *const addresses[] = { "127.0.0.1:1", "[::1]:1", "*:1", "unix:/tmp/none" };

static const struct sample {
	size_t offset;		/* of an int64_t */
	int64_t value;
	int family, level, option, expected;
} samples[] = {
#define FIELD(field) offsetof(struct socket_settings, field)
	{ FIELD(free_bind),	      1,    V4,	  IPPROTO_IP,	IP_FREEBIND,	  1 },
	{ FIELD(free_bind),	      1,    V6,	  IPPROTO_IPV6, IPV6_FREEBIND,	  1 },
	{ FIELD(tos),		      0x10, V4,	  IPPROTO_IP,	IP_TOS,		  0x10 },
	{ FIELD(tos),		      0x10, V6,	  IPPROTO_IPV6, IPV6_TCLASS,	  0x10 },
	{ FIELD(tos),		      0x10, DUAL, IPPROTO_IPV6, IPV6_TCLASS,	  0x10 },
	{ FIELD(tos),		      0x10, DUAL, IPPROTO_IP,	IP_TOS,		  0x10 },
	{ FIELD(priority),	      5,    V4,	  SOL_SOCKET,	SO_PRIORITY,	  5 },
	{ FIELD(no_delay),	      1,    DUAL, IPPROTO_TCP,	TCP_NODELAY,	  1 },
	{ FIELD(fast_open),	      16,   V4,	  IPPROTO_TCP,	TCP_FASTOPEN,	  16 },
	{ FIELD(keep_alive),	      1,    V4,	  SOL_SOCKET,	SO_KEEPALIVE,	  1 },
	{ FIELD(keep_alive_idle),     9001, V4,	  IPPROTO_TCP,	TCP_KEEPIDLE,	  10 },
	{ FIELD(keep_alive_interval), 7000, V4,	  IPPROTO_TCP,	TCP_KEEPINTVL,	  7 },
	{ FIELD(keep_alive_probes),   4,    V4,	  IPPROTO_TCP,	TCP_KEEPCNT,	  4 },
	{ FIELD(user_timeout),	      1234, V4,	  IPPROTO_TCP,	TCP_USER_TIMEOUT, 1234 },
	{ FIELD(receive_buffer),      8192, V4,	  SOL_SOCKET,	SO_RCVBUF,	  16384 },
	{ FIELD(send_buffer),	      8192, UNIX, SOL_SOCKET,	SO_SNDBUF,	  16384 },
};

static int make(int family, struct key *ret_key)
{
	int fd, no = 0;

	*ret_key = key_for(addresses[family]);
	fd = socket(ret_key->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (family == DUAL)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	return fd;
}

static int read_back(int fd, int level, int option)
{
	int value = -77;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(fd, level, option, &value, &length), 0);
	return value;
}

static void put(struct socket_settings *s, size_t offset, int64_t value)
{
	memcpy((char *)s + offset, &value, sizeof(value));
}

static void every_number_reaches_the_kernel(void **state)
{
	(void)state;
	for (const struct sample *p = samples; p < samples + COUNT(samples); p++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct err err = { 0 };
		struct key key;
		int fd = make(p->family, &key);

		put(&s, p->offset, p->value);
		if (tune_apply(fd, &key, &s, TUNE_BEFORE_BIND, &err))
			fail_msg("sample %td: %s", p - samples, err.text);
		if (read_back(fd, p->level, p->option) != p->expected)
			fail_msg("sample %td reads %d", p - samples,
				 read_back(fd, p->level, p->option));
		fd_close(&fd);
	}
}

static void a_delay_of_milliseconds_defers_for_a_second(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key;
	int fd = make(V4, &key);

	(void)state;
	s.defer_accept = 200;
	assert_int_equal(tune_apply(fd, &key, &s, TUNE_BEFORE_BIND, NULL), 0);
	assert_true(read_back(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT) >= 1);
	fd_close(&fd);
}

static void texts_reach_the_kernel(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	char name[32] = "";
	socklen_t length = sizeof(name);
	struct key key;
	int fd = make(V4, &key);

	(void)state;
	s.congestion = (char *)"reno";
	s.bind_device = (char *)"lo";
	assert_int_equal(tune_apply(fd, &key, &s, TUNE_BEFORE_BIND, NULL), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
	assert_string_equal(name, "reno");
	length = sizeof(name);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
	assert_string_equal(name, "lo");
	fd_close(&fd);
}

/* Given as 1, read back as 1: or refused, naming the right that is missing. */
static void what_needs_a_right_is_set_or_says_so(void **state)
{
	static const struct sample rights[] = {
		{ FIELD(mark),	      7, V4, SOL_SOCKET,   SO_MARK,	     7 },
		{ FIELD(transparent), 1, V4, IPPROTO_IP,   IP_TRANSPARENT,   1 },
		{ FIELD(transparent), 1, V6, IPPROTO_IPV6, IPV6_TRANSPARENT, 1 },
	};

	(void)state;
	for (const struct sample *p = rights; p < rights + COUNT(rights); p++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct err err = { 0 };
		struct key key;
		int fd = make(p->family, &key);

		put(&s, p->offset, p->value);
		if (tune_apply(fd, &key, &s, TUNE_BEFORE_BIND, &err) == 0) {
			assert_int_equal(read_back(fd, p->level, p->option), p->expected);
		} else {
			assert_int_equal(err.code, EPERM);
			assert_non_null(strstr(err.text, "without CAP_NET_ADMIN"));
		}
		fd_close(&fd);
	}
}

static void a_refused_option_names_its_key(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct err err = { 0 };
	struct key key;
	int fd = make(V4, &key);

	(void)state;
	s.congestion = (char *)"nonesuch";
	assert_int_equal(tune_apply(fd, &key, &s, TUNE_BEFORE_BIND, &err), -1);
	assert_string_equal(err.text, "congestion: the system refuses \"nonesuch\": "
			    "No such file or directory");
	s = UNSET_SETTINGS;
	s.keep_alive_probes = 100000;
	assert_int_equal(tune_apply(fd, &key, &s, TUNE_LIVE, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_non_null(strstr(err.text, "keep_alive_probes: the system refuses \"100000\""));
	fd_close(&fd);
}

static void an_option_of_another_family_is_passed_over(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key;
	int fd = make(UNIX, &key);

	(void)state;
	s.no_delay = s.tos = s.free_bind = s.priority = 1;
	assert_int_equal(tune_apply(fd, &key, &s, TUNE_BEFORE_BIND, NULL), 0);
	fd_close(&fd);
}

static void a_listening_socket_takes_what_is_live(void **state)
{
	(void)state;
	for (const struct sample *p = samples; p < samples + COUNT(samples); p++) {
		struct socket_settings s = UNSET_SETTINGS, now = UNSET_SETTINGS;
		struct err err = { 0 };
		struct key key;
		int fd, before;

		if (p->family != V4 || p->offset == FIELD(free_bind))
			continue;
		key = key_for("127.0.0.1:1");
		set_port(&key, 0);
		fd = socket_open(&key, &s, &err);
		assert_true(fd >= 0);
		before = read_back(fd, p->level, p->option);
		put(&now, p->offset, p->value);
		assert_int_equal(tune_apply(fd, &key, &now, TUNE_LIVE, &err), 0);
		assert_int_equal(read_back(fd, p->level, p->option), p->expected);
		assert_int_equal(tune_reset(fd, &key, &now, &s, &err), 0);
		assert_int_equal(read_back(fd, p->level, p->option), before);
		fd_close(&fd);
	}
}

static void what_the_settings_leave_alone_becomes_as_on_the_workers_own(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct str kept = { 0 };
	struct key key;
	int own = make(V4, &key), held = make(V4, &key), one = 1;

	(void)state;
	s.keep_alive = 0;
	assert_int_equal(setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(own, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)), 0);
	tune_follow(held, own, &key, &s, &kept);
	assert_int_equal(read_back(held, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(read_back(held, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_string_equal(str_text(&kept), "");
	assert_int_equal(setsockopt(own, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)), 0);
	tune_follow(held, own, &key, &s, &kept);
	assert_string_equal(str_text(&kept), "free_bind");
	str_fini(&kept);
	fd_close(&own);
	fd_close(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_reaches_the_kernel),
		cmocka_unit_test(a_delay_of_milliseconds_defers_for_a_second),
		cmocka_unit_test(texts_reach_the_kernel),
		cmocka_unit_test(what_needs_a_right_is_set_or_says_so),
		cmocka_unit_test(a_refused_option_names_its_key),
		cmocka_unit_test(an_option_of_another_family_is_passed_over),
		cmocka_unit_test(a_listening_socket_takes_what_is_live),
		cmocka_unit_test(what_the_settings_leave_alone_becomes_as_on_the_workers_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
