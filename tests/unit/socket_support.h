/* What the tests of sockets share: settings that ask for nothing, addresses of
 * loopback, children that say by a pipe that they are ready. */
#ifndef HOLDPORT_TESTS_SOCKET_SUPPORT_H
#define HOLDPORT_TESTS_SOCKET_SUPPORT_H

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "config/settings.h"
#include "socket/key.h"

#define UNSET_SETTINGS                                                                         \
	(struct socket_settings){                                                              \
		.name = (char *)"test", .type = SOCK_STREAM, .ipv6_only = CHOICE_AUTO,         \
		.exclusive = CHOICE_AUTO, .non_blocking = CHOICE_AUTO,                         \
		.free_bind = TUNE_UNSET, .transparent = TUNE_UNSET, .mark = TUNE_UNSET,        \
		.priority = TUNE_UNSET, .tos = TUNE_UNSET, .no_delay = TUNE_UNSET,             \
		.defer_accept = TUNE_UNSET, .fast_open = TUNE_UNSET, .keep_alive = TUNE_UNSET, \
		.keep_alive_idle = TUNE_UNSET, .keep_alive_interval = TUNE_UNSET,              \
		.keep_alive_probes = TUNE_UNSET, .receive_buffer = TUNE_UNSET,                 \
		.send_buffer = TUNE_UNSET, .user_timeout = TUNE_UNSET, .mode = 0666, .busy_timeout = 90000, \
		.uid = (uid_t)-1, .gid = (gid_t)-1, .worker_uid = (uid_t)-1,                   \
	}

static inline struct key key_for(const char *text)
{
	struct address a;
	struct err err = { 0 };
	struct key key;

	if (address_parse(text, &a, &err))
		fail_msg("%s: %s", text, err.text);
	key_make(&a, SOCK_STREAM, 0, &key);
	return key;
}

static inline void set_port(struct key *key, int port)
{
	struct sockaddr_in6 *in6 = (void *)&key->address.sa;
	struct sockaddr_in *in4 = (void *)&key->address.sa;

	if (key->family == AF_INET6)
		in6->sin6_port = htons((uint16_t)port);
	else
		in4->sin_port = htons((uint16_t)port);
}

static inline int port_of_fd(int fd)
{
	struct address a = { .length = sizeof(a.sa) };

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a.sa, &a.length), 0);
	return address_port(&a);
}

/* A port that nothing listens at, on any address of both families. */
static inline int free_port(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), no = 0, port;

	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	port = port_of_fd(fd);
	fd_close(&fd);
	return port;
}

static inline int connect_to(const struct key *key)
{
	int fd = socket(key->family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&key->address.sa, key->address.length) == 0)
		return fd;
	fd_close(&fd);
	return -1;
}

struct child {
	pid_t pid;
	int say;	/* closing it lets the child end */
};

/* Runs act(ctx) in a child, which then stays until it is let go; returns when
 * act has returned.  An act that blocks says ready itself. */
static inline struct child child_start(void (*act)(void *ctx, int ready), void *ctx)
{
	int news[2], hold[2];
	struct child c;
	char byte;

	assert_int_equal(pipe2(news, O_CLOEXEC), 0);
	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		(void)alarm(60);	/* should the test end without it */
		(void)close(hold[1]);
		act(ctx, news[1]);
		(void)!write(news[1], "", 1);
		(void)!read(hold[0], &byte, 1);
		_exit(0);
	}
	(void)close(news[1]);
	(void)close(hold[0]);
	assert_int_equal(read(news[0], &byte, 1), 1);
	(void)close(news[0]);
	c.say = hold[1];
	return c;
}

static inline void child_end(struct child *c)
{
	fd_close(&c->say);
	(void)kill(c->pid, SIGKILL);
	assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
}

/* Waits for what is true soon, at most five seconds. */
#define AWAIT(what)                                                       \
	do {                                                              \
		int64_t end_ = clock_monotonic_ms() + 5000;               \
		bool is_ = (what);                                        \
									  \
		while (!is_ && clock_monotonic_ms() < end_) {             \
			(void)usleep(2000);                               \
			is_ = (what);                                     \
		}                                                         \
		assert_true(is_);                                         \
	} while (0)

#endif
