/* What others did to a held socket is put right by a look. */
#include "socket_support.h"

#include <linux/filter.h>
#include <stdio.h>

#include "base/log.h"
#include "platform/platform.h"
#include "socket/group.h"
#include "socket/heal.h"

static struct loop *loop;
static struct store store;
static struct socket_settings settings;
static struct held *held;
static char said[4096];

static void note(enum log_level level, const char *line, void *ctx)
{
	size_t used = strlen(said);

	(void)level, (void)ctx;
	(void)snprintf(said + used, sizeof(said) - used, "%s\n", line);
}

static void begin(int non_blocking, int reuse_port)
{
	struct key key = key_for("127.0.0.1:1");

	set_port(&key, free_port());
	settings = UNSET_SETTINGS;
	settings.backlog = 50;
	settings.non_blocking = non_blocking;
	settings.reuse_port = reuse_port;
	loop = loop_new(NULL);
	store_init(&store, loop, NULL, NULL);
	held = store_add(&store, &key, &settings, 0);
	held_ref(held);
	said[0] = '\0';
}

static void end(void)
{
	store_fini(&store);
	loop_free(loop);
}

static int backlog(void)
{
	int queue, limit = -1;

	(void)platform_queue(held->fd, &queue, &limit);
	return limit;
}

static void what_is_as_it_should_be_is_left_alone(void **state)
{
	(void)state;
	begin(CHOICE_YES, 0);
	heal_look(held);
	assert_string_equal(said, "");
	end();
}

static void a_backlog_is_set_again(void **state)
{
	(void)state;
	begin(CHOICE_AUTO, 0);
	(void)listen(held->fd, 3);
	heal_look(held);
	assert_int_equal(backlog(), 50);
	assert_non_null(strstr(said, "somebody set its backlog to 3; it is 50 again"));
	end();
}

/* What the system cuts cannot be had, and is not tried for ever. */
static void a_backlog_above_the_systems_limit_is_no_wound(void **state)
{
	(void)state;
	begin(CHOICE_AUTO, 0);
	settings.backlog = 1 << 20;
	heal_look(held);
	said[0] = '\0';
	heal_look(held);
	assert_string_equal(said, "");
	end();
}

static void the_blocking_mode_is_kept_where_it_was_asked_for(void **state)
{
	(void)state;
	for (int choice = 0; choice < 2; choice++) {
		bool yes = choice == 0;

		begin(yes ? CHOICE_YES : CHOICE_NO, 0);
		(void)fd_non_blocking(held->fd, !yes);
		heal_look(held);
		assert_int_equal(!!(fcntl(held->fd, F_GETFL) & O_NONBLOCK), yes);
		end();
	}
	begin(CHOICE_AUTO, 0);
	(void)fd_non_blocking(held->fd, 1);
	heal_look(held);
	assert_true(fcntl(held->fd, F_GETFL) & O_NONBLOCK);
	end();
}

static void a_device_is_undone_or_the_socket_is_spoilt(void **state)
{
	int nowhere = 9999, client;

	(void)state;
	begin(CHOICE_AUTO, 0);
	assert_int_equal(setsockopt(held->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere,
				    sizeof(nowhere)), 0);
	assert_int_equal(connect_to(&held->key), -1);
	heal_look(held);
	client = connect_to(&held->key);
	assert_int_equal(client >= 0, !held->spoilt);
	assert_true(!held->spoilt == !held->reason);
	if (held->spoilt)
		assert_non_null(strstr(held->reason, "another network interface"));
	fd_close(&client);
	end();
}

/* One that is deaf on purpose (rebind.h) is left so. */
static void who_is_deaf_by_us_stays_deaf(void **state)
{
	struct err err;

	(void)state;
	begin(CHOICE_AUTO, 0);
	held->deaf = true;
	assert_int_equal(platform_deafen(held->fd, 0, &err), 0);
	heal_look(held);
	assert_true(platform_is_deaf(held->fd));
	assert_string_equal(said, "");
	end();
}

static void put_filter(bool lock)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };
	int one = 1;

	assert_int_equal(setsockopt(held->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				    sizeof(program)), 0);
	if (lock)
		assert_int_equal(setsockopt(held->fd, SOL_SOCKET, SO_LOCK_FILTER, &one,
					    sizeof(one)), 0);
}

static void a_filter_goes_unless_it_was_locked(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	begin(CHOICE_AUTO, 0);
	put_filter(false);
	heal_look(held);
	assert_int_equal(platform_drop_filter(held->fd), 0);
	assert_false(held->spoilt);
	put_filter(true);
	heal_look(held);
	heal_look(held);
	assert_true(held->spoilt);
	assert_int_equal(held->state, HELD_LISTENING);
	assert_non_null(strstr(held->reason, "a filter that cannot be taken off"));
	assert_null(strstr(strstr(said, "spoilt it") + 1, "spoilt it"));	/* once */
	end();
}

static void one_that_was_shut_down_is_not_ours_to_heal(void **state)
{
	(void)state;
	begin(CHOICE_AUTO, 0);
	(void)shutdown(held->fd, SHUT_RD);
	heal_look(held);
	assert_int_equal(connect_to(&held->key), -1);
	end();
}

static void a_path_is_linked_again_while_it_has_a_second_name(void **state)
{
	char dir[] = "/tmp/holdport-heal-XXXXXX", path[64], anchor[80], text[80];
	struct key key;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	(void)snprintf(anchor, sizeof(anchor), "%s/.s.holdport", dir);
	(void)snprintf(text, sizeof(text), "unix:%s", path);
	key = key_for(text);
	begin(CHOICE_AUTO, 0);
	held = store_add(&store, &key, &settings, 0);
	held_ref(held);
	assert_int_equal(access(anchor, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	heal_look(held);
	assert_int_equal(access(path, F_OK), 0);
	assert_non_null(strstr(said, "removed its path; it is there again"));
	assert_int_equal(held->bindings, 1);
	/* A link that stands in the place of the second name is no way to the path. */
	assert_int_equal(unlink(anchor), 0);
	assert_int_equal(symlink("/etc/passwd", anchor), 0);
	assert_int_equal(unlink(path), 0);
	heal_look(held);
	assert_int_equal(held->state, HELD_WAITING);
	assert_int_equal(access(path, F_OK), -1);
	held_unref(held);
	assert_int_equal(unlink(anchor), 0);	/* not ours: left alone */
	assert_int_equal(rmdir(dir), 0);
	end();
}

static void a_group_chooses_as_it_did(void **state)
{
	struct sock_filter first = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &first };
	int queue[2] = { 0 }, limit, clients[40];

	(void)state;
	begin(CHOICE_AUTO, 1);
	group_grow(held, 2);
	assert_int_equal(setsockopt(held->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
				    sizeof(program)), 0);
	heal_look(group_slot(held, 1));
	for (size_t i = 0; i < 40; i++)
		assert_true((clients[i] = connect_to(&held->key)) >= 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(platform_queue(group_slot(held, i)->fd, &queue[i], &limit), 0);
	assert_true(queue[0] && queue[1]);
	for (size_t i = 0; i < 40; i++)
		fd_close(&clients[i]);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_as_it_should_be_is_left_alone),
		cmocka_unit_test(a_backlog_is_set_again),
		cmocka_unit_test(a_backlog_above_the_systems_limit_is_no_wound),
		cmocka_unit_test(the_blocking_mode_is_kept_where_it_was_asked_for),
		cmocka_unit_test(a_device_is_undone_or_the_socket_is_spoilt),
		cmocka_unit_test(who_is_deaf_by_us_stays_deaf),
		cmocka_unit_test(a_filter_goes_unless_it_was_locked),
		cmocka_unit_test(one_that_was_shut_down_is_not_ours_to_heal),
		cmocka_unit_test(a_path_is_linked_again_while_it_has_a_second_name),
		cmocka_unit_test(a_group_chooses_as_it_did),
	};

	log_to(note, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
