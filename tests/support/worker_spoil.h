/* What a worker may do to a socket that others share: the kernel does not mind. */
#ifndef HOLDPORT_SUPPORT_WORKER_SPOIL_H
#define HOLDPORT_SUPPORT_WORKER_SPOIL_H

#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static inline void spoil_backlog(int fd)
{
	listen(fd, 5);
}

static inline void spoil_blocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) ^ O_NONBLOCK);
}

static inline void spoil_device(int fd)
{
	int nowhere = 9999;

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere, sizeof(nowhere)) < 0)
		perror("worker: SO_BINDTOIFINDEX");
}

static inline void spoil_filter(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &nothing };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		perror("worker: SO_ATTACH_FILTER");
}

static inline void spoil_lock(int fd)
{
	int one = 1;

	spoil_filter(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) < 0)
		perror("worker: SO_LOCK_FILTER");
}

static inline void spoil_choice(int fd)
{
	struct sock_filter me = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &me };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program)) < 0)
		perror("worker: SO_ATTACH_REUSEPORT_CBPF");
}

static inline void spoil_path(int fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &length) < 0 || unlink(at.sun_path) < 0)
		perror("worker: unlink");
}

static inline void spoil_shutdown(int fd)
{
	shutdown(fd, SHUT_RDWR);
}

/* words: a list of the ways. */
static inline void worker_spoil(const char *words, int fd)
{
	static const struct {
		const char *word;
		void (*how)(int fd);
	} ways[] = {
		{ "backlog", spoil_backlog }, { "blocking", spoil_blocking },
		{ "device", spoil_device },   { "filter", spoil_filter },
		{ "lock", spoil_lock },	      { "choice", spoil_choice },
		{ "path", spoil_path },	      { "shutdown", spoil_shutdown },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (words && strstr(words, ways[i].word))
			ways[i].how(fd);
}

#endif
