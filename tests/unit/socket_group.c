/* The sockets of one address, a slot a worker, in a real SO_REUSEPORT group. */
#include "socket_support.h"

#include <sys/stat.h>

#include "base/log.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "socket/group.h"
#include "socket/open.h"
#include "socket/store.h"

enum { CLIENTS = 60, SLOTS = 4 };

struct case_ {
	struct loop *loop;
	struct store store;
	struct socket_settings settings;
	struct held *leader;
};

static void begin_of(struct case_ *c, int type)
{
	struct key key = key_for("127.0.0.1:1");

	key_make(&key.address, type, 0, &key);
	set_port(&key, free_port());
	c->loop = loop_new(NULL);
	c->settings = UNSET_SETTINGS;
	c->settings.reuse_port = 1;
	c->settings.type = type;
	store_init(&c->store, c->loop, NULL, NULL);
	c->leader = store_add(&c->store, &key, &c->settings, 0);
	held_ref(c->leader);
}

static void begin(struct case_ *c)
{
	begin_of(c, SOCK_STREAM);
}

static void end(struct case_ *c)
{
	store_fini(&c->store);
	loop_free(c->loop);
}

struct pause {
	struct loop_timer timer;
	struct loop *loop;
};

static void on_pause_over(struct loop_timer *t)
{
	loop_stop(OWNER(t, struct pause, timer)->loop);
}

static void turn(struct loop *l)
{
	struct pause pause = { .loop = l };

	loop_timer_start(l, &pause.timer, 5, on_pause_over);
	loop_run(l);
}

/* Connects, and counts in which slot's queue the clients are. */
static void deal(struct case_ *c, int ret[SLOTS])
{
	int clients[CLIENTS], queue, backlog;

	for (size_t i = 0; i < CLIENTS; i++)
		assert_true((clients[i] = connect_to(&c->leader->key)) >= 0);
	for (size_t i = 0; i < SLOTS; i++) {
		const struct held *h = i < group_size(c->leader) ? group_slot(c->leader, i) : NULL;

		ret[i] = 0;
		(void)fd_non_blocking(h ? h->fd : -1, 1);
		for (int got; h && (got = accept(h->fd, NULL, NULL)) >= 0; ret[i]++)
			fd_close(&got);
		queue = 0;
		assert_true(!h || h->state != HELD_LISTENING ||
			    (platform_queue(h->fd, &queue, &backlog) == 0 && queue == 0));
	}
	for (size_t i = 0; i < CLIENTS; i++)
		fd_close(&clients[i]);
}

static void serve_only(struct case_ *c, unsigned slots)
{
	bool served[SLOTS];

	for (size_t i = 0; i < SLOTS; i++)
		served[i] = slots & (1u << i);
	group_serve(c->leader, served, SLOTS);
}

/* Which slots get connections: a bit each. */
static unsigned who_gets(struct case_ *c)
{
	int counts[SLOTS], all = 0;
	unsigned who = 0;

	deal(c, counts);
	for (size_t i = 0; i < SLOTS; i++) {
		who |= counts[i] ? 1u << i : 0;
		all += counts[i];
	}
	assert_int_equal(all, CLIENTS);		/* nobody is lost */
	return who;
}

static void every_slot_is_a_socket_with_a_key_of_its_own(void **state)
{
	struct case_ c;

	(void)state;
	begin(&c);
	group_grow(c.leader, SLOTS);
	assert_int_equal(group_size(c.leader), SLOTS);
	for (size_t i = 0; i < SLOTS; i++) {
		struct held *h = group_slot(c.leader, i);

		assert_int_equal(h->state, HELD_LISTENING);
		assert_int_equal(h->key.slot, (int)i);
		for (size_t k = 0; k < i; k++) {
			assert_false(key_same(&h->key, &group_slot(c.leader, k)->key));
			assert_true(h->inode != group_slot(c.leader, k)->inode);
		}
	}
	assert_ptr_equal(store_claim(&c.store, &c.leader->key), c.leader);
	assert_int_equal(who_gets(&c), 15);
	end(&c);
}

static void what_nobody_serves_gets_nothing_while_another_is_served(void **state)
{
	struct case_ c;

	(void)state;
	begin(&c);
	group_grow(c.leader, SLOTS);
	for (unsigned slots = 1; slots < 16; slots++) {
		serve_only(&c, slots);
		assert_int_equal(who_gets(&c), slots);
	}
	serve_only(&c, 0);
	assert_int_equal(who_gets(&c), 15);
	end(&c);
}

static void a_new_slot_waits_for_its_worker(void **state)
{
	struct case_ c;

	(void)state;
	begin(&c);
	serve_only(&c, 1);
	group_grow(c.leader, 2);
	assert_int_equal(who_gets(&c), 1);
	serve_only(&c, 3);
	assert_int_equal(who_gets(&c), 3);
	end(&c);
}

static void a_slot_that_goes_takes_nobody_elses_place(void **state)
{
	struct case_ c;

	(void)state;
	begin(&c);
	group_grow(c.leader, SLOTS);
	serve_only(&c, 6);
	/* Those behind change places when one comes back (kernel: the last one moves). */
	for (size_t i = 0; i < SLOTS; i++) {
		struct held *h = group_slot(c.leader, i);

		assert_int_equal(shutdown(h->fd, SHUT_RD), 0);
		for (int turns = 0; turns < 100 && h->healed < 0; turns++)
			turn(c.loop);
		assert_int_equal(h->state, HELD_LISTENING);
		assert_int_equal(who_gets(&c), 6);
	}
	group_trim(c.leader, 2);
	assert_int_equal(group_size(c.leader), 2);
	assert_int_equal(who_gets(&c), 2);
	group_trim(c.leader, 0);
	assert_int_equal(group_size(c.leader), 1);
	assert_int_equal(who_gets(&c), 1);
	end(&c);
}

static void what_happens_to_the_leader_happens_to_all(void **state)
{
	struct socket_settings next;
	struct case_ c;

	(void)state;
	begin(&c);
	group_grow(c.leader, SLOTS);
	next = c.settings;
	next.backlog = 99;
	next.when_down = DOWN_REFUSE;
	assert_int_equal(held_retune(c.leader, &next, NULL), 0);
	for (size_t i = 0; i < SLOTS; i++) {
		int queue, backlog;

		assert_int_equal(platform_queue(group_slot(c.leader, i)->fd, &queue, &backlog), 0);
		assert_int_equal(backlog, 99);
	}
	held_serve(c.leader, false);
	for (size_t i = 0; i < SLOTS; i++)
		assert_int_equal(group_slot(c.leader, i)->state, HELD_REFUSING);
	assert_int_equal(connect_to(&c.leader->key), -1);
	held_serve(c.leader, true);
	serve_only(&c, 5);
	assert_int_equal(who_gets(&c), 5);
	held_unref(c.leader);
	assert_true(list_empty(&c.store.sockets));
	end(&c);
}

static void datagrams_of_one_sender_stay_together(void **state)
{
	int counts[SLOTS] = { 0 }, sender;
	struct case_ c;
	char byte;

	(void)state;
	begin_of(&c, SOCK_DGRAM);
	group_grow(c.leader, SLOTS);
	serve_only(&c, 10);
	for (size_t n = 0; n < CLIENTS; n++) {
		sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(sendto(sender, "x", 1, 0,
						(void *)&c.leader->key.address.sa,
						c.leader->key.address.length), 1);
		for (size_t i = 0; i < SLOTS; i++) {
			int got = 0;

			while (recv(group_slot(c.leader, i)->fd, &byte, 1, MSG_DONTWAIT) == 1)
				got++;
			assert_true(got == 0 || got == 3);
			counts[i] += got;
		}
		fd_close(&sender);
	}
	assert_int_equal(counts[0] + counts[2], 0);
	assert_true(counts[1] && counts[3]);
	assert_int_equal(counts[1] + counts[3], 3 * CLIENTS);
	end(&c);
}

static void a_group_belongs_to_the_user_of_its_workers(void **state)
{
	struct socket_settings theirs;
	struct case_ c;
	struct stat st;

	(void)state;
	begin(&c);
	if (geteuid() == 0) {
		theirs = c.settings;
		theirs.worker_uid = 65534;
		held_settings(c.leader, &theirs, 0);
		group_grow(c.leader, 2);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(fstat(group_slot(c.leader, i)->fd, &st), 0);
			assert_int_equal(st.st_uid, 65534);
		}
		assert_int_equal(group_slot(c.leader, 1)->state, HELD_LISTENING);
	} else {
		struct err err = { 0 };

		c.settings.worker_uid = 0;
		assert_int_equal(socket_set_owner(c.leader->fd, &c.settings, &err), -1);
		assert_non_null(strstr(err.text, "the program's user"));
	}
	end(&c);
}

static void slots_that_were_given_are_claimed(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");
	struct held *leader;
	struct loop *loop = loop_new(NULL);
	struct store s;
	struct stat st[3];

	(void)state;
	settings.reuse_port = 1;
	set_port(&key, free_port());
	store_init(&s, loop, NULL, NULL);
	for (key.slot = 0; key.slot < 3; key.slot++) {
		int fd = socket_open(&key, &settings, NULL);

		assert_int_equal(fstat(fd, &st[key.slot]), 0);
		store_give(&s, fd, &key, "before");
	}
	key.slot = 0;
	leader = store_add(&s, &key, &settings, 0);
	held_ref(leader);
	assert_true(list_empty(&s.given));
	assert_int_equal(group_size(leader), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(group_slot(leader, i)->inode, st[i].st_ino);
	store_fini(&s);
	loop_free(loop);
}

static void one_without_a_group_is_alone(void **state)
{
	struct socket_settings settings = UNSET_SETTINGS;
	struct key key = key_for("127.0.0.1:1");
	struct loop *loop = loop_new(NULL);
	bool served = false;
	struct store s;
	struct held *h;

	(void)state;
	set_port(&key, free_port());
	store_init(&s, loop, NULL, NULL);
	h = store_add(&s, &key, &settings, 0);
	group_grow(h, 4);
	group_serve(h, &served, 1);
	assert_int_equal(group_size(h), 1);
	assert_ptr_equal(group_slot(h, 0), h);
	group_trim(h, 0);
	assert_int_equal(h->state, HELD_LISTENING);
	store_fini(&s);
	loop_free(loop);
}

static void quiet(enum log_level level, const char *line, void *ctx)
{
	(void)level, (void)line, (void)ctx;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_slot_is_a_socket_with_a_key_of_its_own),
		cmocka_unit_test(what_nobody_serves_gets_nothing_while_another_is_served),
		cmocka_unit_test(a_new_slot_waits_for_its_worker),
		cmocka_unit_test(a_slot_that_goes_takes_nobody_elses_place),
		cmocka_unit_test(what_happens_to_the_leader_happens_to_all),
		cmocka_unit_test(datagrams_of_one_sender_stay_together),
		cmocka_unit_test(a_group_belongs_to_the_user_of_its_workers),
		cmocka_unit_test(slots_that_were_given_are_claimed),
		cmocka_unit_test(one_without_a_group_is_alone),
	};

	log_to(quiet, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
