/* What was given to us is held instead of being bound again. */
#include "socket_support.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "socket/held.h"
#include "socket/inherit.h"
#include "socket/open.h"
#include "socket/store.h"

static struct inherited inherited(const int *fds, size_t count)
{
	struct inherited in = { .fds = malloc(count * sizeof(int)), .count = count };

	for (size_t i = 0; i < count; i++) {
		in.fds[i] = fds[i];
		text_list_add(&in.names, "given");
	}
	return in;
}

struct case_ {
	struct store store;
	struct loop *loop;
};

static void start(struct case_ *c)
{
	c->loop = loop_new(NULL);
	store_init(&c->store, c->loop, NULL, NULL);
}

static void end(struct case_ *c)
{
	store_fini(&c->store);
	loop_free(c->loop);
}

static void give(struct case_ *c, int fd)
{
	struct inherited in = inherited(&fd, 1);

	inherited_give(&in, &c->store);
	assert_int_equal(in.count, 0);
}

static int made(struct key *key, const char *text, int type, const struct socket_settings *s)
{
	struct key listen = key_for(text);
	int fd;

	key_make(&listen.address, type, 0, key);
	if (key->family != AF_UNIX)
		set_port(key, 0);
	fd = socket_open(key, s, NULL);
	assert_true(fd >= 0);
	if (key->family != AF_UNIX)
		set_port(key, port_of_fd(fd));
	return fd;
}

static unsigned long inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void every_kind_is_claimed_by_its_key(void **state)
{
	static const struct {
		const char *listen;
		int type;
	} rows[] = {
		{ "127.0.0.1:1", SOCK_STREAM }, { "127.0.0.1:1", SOCK_DGRAM },
		{ "[::1]:1", SOCK_STREAM }, { "*:1", SOCK_STREAM }, { "*:1", SOCK_DGRAM },
		{ "unix:@holdport-inherit", SOCK_STREAM }, { "unix:@holdport-inherit", SOCK_DGRAM },
		{ "unix:@holdport-inherit", SOCK_SEQPACKET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct socket_settings s = UNSET_SETTINGS;
		struct case_ c;
		struct key key;
		struct held *h;
		int fd = made(&key, rows[i].listen, rows[i].type, &s);
		unsigned long inode = inode_of(fd);

		s.type = rows[i].type;
		start(&c);
		give(&c, fd);
		h = store_add(&c.store, &key, &s, 0);
		held_ref(h);
		assert_int_equal(h->state, HELD_LISTENING);
		assert_int_equal(h->origin, ORIGIN_INHERITED);
		assert_int_equal(h->inode, inode);
		assert_true(list_empty(&c.store.given));
		end(&c);
	}
}

static void another_type_is_another_socket(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct case_ c;
	struct key key;
	struct held *h;
	int fd = made(&key, "127.0.0.1:1", SOCK_DGRAM, &s);

	(void)state;
	start(&c);
	give(&c, fd);
	key.type = SOCK_STREAM;
	key.protocol = IPPROTO_TCP;
	h = store_add(&c.store, &key, &s, 0);
	assert_int_equal(h->origin, ORIGIN_BOUND);
	assert_false(list_empty(&c.store.given));
	store_close_given(&c.store);
	assert_true(list_empty(&c.store.given));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	end(&c);
}

static void every_address_of_ipv4_stands_for_any(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct key key, any = key_for("*:1");
	struct case_ c;
	struct held *h;
	int fd = made(&key, "0.0.0.0:1", SOCK_STREAM, &s);

	(void)state;
	set_port(&any, address_port(&key.address));
	start(&c);
	give(&c, fd);
	h = store_add(&c.store, &any, &s, 0);
	assert_int_equal(h->origin, ORIGIN_INHERITED);
	end(&c);
}

static void a_path_stays_as_it_is_and_is_not_ours_to_remove(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	char directory[] = "/tmp/holdport-test-XXXXXX", text[128];
	struct case_ c;
	struct key key;
	struct stat st;
	struct held *h;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(text, sizeof(text), "unix:%s/s", directory);
	s.mode = 0600;
	fd = made(&key, text, SOCK_STREAM, &s);
	s.mode = 0666;
	start(&c);
	give(&c, fd);
	h = store_add(&c.store, &key, &s, 0);
	assert_int_equal(h->origin, ORIGIN_INHERITED);
	assert_int_equal(lstat(text + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	end(&c);
	assert_int_equal(unlink(text + 5), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void what_cannot_be_held_is_closed(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct case_ c;
	struct key key;
	int pipe_[2], listener = made(&key, "127.0.0.1:1", SOCK_STREAM, &s);
	int client = connect_to(&key), unbound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct inherited in;

	(void)state;
	assert_int_equal(pipe2(pipe_, O_CLOEXEC), 0);
	in = inherited((int[]){ pipe_[0], client, unbound }, 3);
	start(&c);
	inherited_give(&in, &c.store);
	assert_true(list_empty(&c.store.given));
	assert_int_equal(fcntl(pipe_[0], F_GETFD), -1);
	assert_int_equal(fcntl(client, F_GETFD), -1);
	assert_int_equal(fcntl(unbound, F_GETFD), -1);
	end(&c);
	fd_close(&pipe_[1]);
	fd_close(&listener);
}

static void what_is_for_another_process_is_not_ours(void **state)
{
	struct inherited in;

	(void)state;
	inherited_note("1", "1", "http", getpid(), &in);
	assert_int_equal(in.count, 0);
	inherited_note(NULL, "1", NULL, getpid(), &in);
	assert_int_equal(in.count, 0);
}

static void names_belong_to_their_descriptors(void **state)
{
	struct inherited in;
	char pid[24];
	int three = fcntl(0, F_DUPFD, 3), four = fcntl(0, F_DUPFD, 4);

	(void)state;
	if (three != 3 || four != 4)
		skip();
	(void)close(four);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_int_equal(fcntl(5, F_GETFD), -1);
	inherited_note(pid, "3", "http:gone:", getpid(), &in);
	assert_int_equal(in.count, 1);
	assert_int_equal(in.fds[0], 3);
	assert_string_equal(in.names.items[0], "http");
	assert_true(fcntl(3, F_GETFD) & FD_CLOEXEC);
	inherited_fini(&in);
	(void)close(three);
}

static void several_of_one_address_are_slots(void **state)
{
	struct socket_settings s = UNSET_SETTINGS;
	struct case_ c;
	struct key key;
	int fds[3];

	(void)state;
	s.reuse_port = true;
	fds[0] = made(&key, "127.0.0.1:1", SOCK_STREAM, &s);
	for (int i = 1; i < 3; i++)
		assert_true((fds[i] = socket_open(&key, &s, NULL)) >= 0);
	start(&c);
	for (int i = 0; i < 3; i++)
		give(&c, fds[i]);
	for (key.slot = 0; key.slot < 3; key.slot++)
		assert_non_null(store_given(&c.store, &key));
	assert_null(store_given(&c.store, &key));
	end(&c);
}

static void one_is_taken_by_its_inode_with_its_name(void **state)
{
	int fds[3];
	struct inherited in;

	(void)state;
	for (int i = 0; i < 3; i++)
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	in = inherited(fds, 3);
	free(in.names.items[1]);
	in.names.items[1] = strdup("second");
	assert_int_equal(inherited_take(&in, 1), -1);
	assert_int_equal(inherited_take(&in, inode_of(fds[0])), fds[0]);
	assert_int_equal(in.count, 2);
	assert_string_equal(in.names.items[0], "second");
	assert_int_equal(inherited_take(&in, inode_of(fds[1])), fds[1]);
	assert_int_equal(in.fds[0], fds[2]);
	inherited_fini(&in);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_belong_to_their_descriptors),
		cmocka_unit_test(what_is_for_another_process_is_not_ours),
		cmocka_unit_test(every_kind_is_claimed_by_its_key),
		cmocka_unit_test(another_type_is_another_socket),
		cmocka_unit_test(every_address_of_ipv4_stands_for_any),
		cmocka_unit_test(a_path_stays_as_it_is_and_is_not_ours_to_remove),
		cmocka_unit_test(what_cannot_be_held_is_closed),
		cmocka_unit_test(several_of_one_address_are_slots),
		cmocka_unit_test(one_is_taken_by_its_inode_with_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
