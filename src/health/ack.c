#include "health/ack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"

enum { PEERS_MOST = 8, LINE_MOST = 1024 };

/* One connection.  What is no acknowledgement is passed over. */
struct peer {
	struct list node;
	struct ack *ack;
	int fd;
	struct loop_io io;
	char line[LINE_MOST];
	size_t length;
};

bool ack_is(const char *line, size_t length)
{
	return memmem(line, length, "command", strlen("command")) &&
	       memmem(line, length, "worker:ack", strlen("worker:ack"));
}

static void peer_free(struct peer *p)
{
	p->ack->peer_count--;
	loop_io_stop(&p->io);
	fd_close(&p->fd);
	list_remove(&p->node);
	free(p);
}

/* True if one of its whole lines acknowledges. */
static bool take_lines(struct peer *p)
{
	bool yes = false;
	char *end;

	while ((end = memchr(p->line, '\n', p->length))) {
		size_t length = (size_t)(end - p->line);

		yes = yes || ack_is(p->line, length);
		p->length -= length + 1;
		memmove(p->line, end + 1, p->length);
	}
	return yes;
}

static void on_peer(struct loop_io *io, int events)
{
	struct peer *p = OWNER(io, struct peer, io);
	struct ack *a = p->ack;
	ssize_t n = recv(p->fd, p->line + p->length, sizeof(p->line) - p->length, MSG_DONTWAIT);
	bool yes;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	p->length += n > 0 ? (size_t)n : 0;
	yes = take_lines(p);
	if (n <= 0 || p->length == sizeof(p->line))
		peer_free(p);
	if (yes)
		a->on(a);
}

static void on_connection(struct loop_io *io, int events)
{
	struct ack *a = OWNER(io, struct ack, io);
	int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct peer *p;

	(void)events;
	if (fd < 0)
		return;
	if (a->peer_count == PEERS_MOST) {
		fd_close(&fd);
		return;
	}
	p = MEM_NEW(struct peer);
	p->ack = a;
	p->fd = fd;
	a->peer_count++;
	list_append(&a->peers, &p->node);
	loop_io_start(a->loop, &p->io, fd, LOOP_READ, on_peer);
	on_peer(&p->io, LOOP_READ);	/* in this turn: most have written already */
}

int ack_open(struct ack *a, struct loop *loop, const char *path, uid_t user,
	     void (*on)(struct ack *a), struct err *err)
{
	int fd = platform_own_socket(path, SOCK_STREAM, 0600, err);

	if (fd < 0)
		return err_in(err, "acknowledgement");
	if ((user != (uid_t)-1 && chown(path, user, (gid_t)-1) < 0) ||
	    platform_listen(fd, PEERS_MOST) < 0) {
		(void)err_sys(err, errno, "cannot give the socket %s to its worker", path);
		fd_close(&fd);
		(void)unlink(path);
		return -1;
	}
	ack_go_on(a, loop, fd, path, on);
	return 0;
}

void ack_go_on(struct ack *a, struct loop *loop, int fd, const char *path,
	       void (*on)(struct ack *a))
{
	*a = (struct ack){ .fd = fd, .path = mem_text(path), .loop = loop, .on = on };
	list_init(&a->peers);
	if (fd >= 0)
		loop_io_start(loop, &a->io, fd, LOOP_READ, on_connection);
}

void ack_close(struct ack *a)
{
	if (!a->path)
		return;
	list_each_safe(p, &a->peers, struct peer, node)
		peer_free(p);
	loop_io_close(&a->io, &a->fd);
	(void)unlink(a->path);
	free(a->path);
	a->path = NULL;
}
