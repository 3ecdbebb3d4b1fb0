/* What a worker said counts before what it is seen to do: it may say that it is
 * ready and wait in accept(2) before this process has its turn. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/owner.h"
#include "health/ack.h"
#include "health/proof.h"
#include "platform/platform.h"

struct scene {
	char dir[32], path[64];
	struct loop *loop;
	struct held held;
	struct program_settings program;
	struct proof proof;
	struct ack ack;
	pid_t worker;
	const char *by;
};

static struct sockaddr_un at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static void on_proved(struct proof *p, const char *by)
{
	struct scene *s = OWNER(p, struct scene, proof);

	s->by = by;
	loop_stop(s->loop);
}

static void on_ack(struct ack *a)
{
	proof_acknowledged(&OWNER(a, struct scene, ack)->proof);
}

static _Noreturn void be_worker(const struct scene *s, const char *message)
{
	struct sockaddr_un to = at(s->path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (message && (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
			write(fd, message, strlen(message)) < 0))
		_exit(1);
	(void)accept(s->held.fd, NULL, NULL);
	_exit(0);
}

static void begin(struct scene *s, const char *message)
{
	struct err err = { 0 };
	struct stat st;

	*s = (struct scene){ .dir = "/tmp/proof.XXXXXX", .held.fd = socket(AF_UNIX, SOCK_STREAM, 0) };
	assert_non_null(mkdtemp(s->dir));
	(void)snprintf(s->path, sizeof(s->path), "%s/ack", s->dir);
	assert_int_equal(bind(s->held.fd, &(struct sockaddr){ .sa_family = AF_UNIX },
			      sizeof(sa_family_t)), 0);
	assert_int_equal(listen(s->held.fd, 1), 0);
	assert_int_equal(fstat(s->held.fd, &st), 0);
	s->held.inode = st.st_ino;
	s->loop = loop_new(&err);
	assert_int_equal(ack_open(&s->ack, s->loop, s->path, (uid_t)-1, on_ack, &err), 0);
	s->worker = fork();
	if (!s->worker)
		be_worker(s, message);
	while (platform_waits_on(s->worker, &s->held.inode, 1, NULL) <= 0)
		(void)usleep(1000);
}

static const char *proved_by(struct scene *s)
{
	struct held *held[] = { &s->held };
	struct proof_spec spec = { .program = &s->program, .pid = s->worker, .held = held,
				   .held_count = 1, .ready_fd = -1 };

	s->program.ready.how = READY_AUTO;
	proof_go_on(&s->proof, s->loop, &spec, loop_now(s->loop), on_proved);
	(void)usleep(20000);	/* the first look is due before the loop turns */
	loop_run(s->loop);
	return s->by;
}

static void end(struct scene *s)
{
	proof_fini(&s->proof);
	ack_close(&s->ack);
	loop_free(s->loop);
	(void)close(s->held.fd);
	(void)kill(s->worker, SIGKILL);
	(void)waitpid(s->worker, NULL, 0);
	(void)rmdir(s->dir);
}

static void an_acknowledgement_counts_before_waiting(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, "{\"command\":\"worker:ack\",\"pid\":1}\n");
	assert_string_equal(proved_by(&s), "ack");
	end(&s);
}

static void who_says_nothing_is_proved_by_waiting(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, NULL);
	assert_string_equal(proved_by(&s), "waiting");
	end(&s);
}

/* A successor takes the word up again (rollout/revive.c). */
static void each_word_that_proves_is_known_again(void **state)
{
	static const char *const words[] = { "notify", "ack", "fd", "tcp", "http", "exec", "delay",
					     "listen", "waiting", "alive" };
	char copy[16];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		(void)snprintf(copy, sizeof(copy), "%s", words[i]);
		assert_non_null(proof_word(copy));
		assert_string_equal(proof_word(copy), words[i]);
	}
	assert_null(proof_word("hearsay"));
	assert_null(proof_word(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_acknowledgement_counts_before_waiting),
		cmocka_unit_test(who_says_nothing_is_proved_by_waiting),
		cmocka_unit_test(each_word_that_proves_is_known_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
