#include "keeper/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

void link_init(struct keeper_link *l, int fd)
{
	*l = (struct keeper_link){ .fd = fd, .keeper = getppid() };
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void lose(struct keeper_link *l)
{
	loop_io_stop(&l->io);
	fd_close(&l->fd);
	l->keeper = 0;
	if (l->lost)
		l->lost(l);
}

/* What one leads to may put off others. */
static void catch_up(struct keeper_link *l)
{
	struct channel_message m;
	int none = -1;

	for (size_t i = 0; i < l->put_off_count; i++) {
		m = l->put_off[i];
		l->heard(l, &m, &none);
	}
	free(l->put_off);
	l->put_off = NULL;
	l->put_off_count = 0;
}

static void on_readable(struct loop_io *io, int events)
{
	struct keeper_link *l = OWNER(io, struct keeper_link, io);
	struct channel_message m;
	int fd = -1, got = 1;

	(void)events;
	do {
		catch_up(l);
		if (l->fd < 0 || (got = channel_receive(l->fd, &m, &fd)) <= 0)
			break;
		l->heard(l, &m, &fd);
		fd_close(&fd);
	} while (true);
	if (got < 0)
		lose(l);
}

static void on_catch_up(struct loop_later *later)
{
	catch_up(OWNER(later, struct keeper_link, catch_up));
}

void link_put_off(struct keeper_link *l, const struct channel_message *m)
{
	l->put_off = mem_grow(l->put_off, l->put_off_count + 1, sizeof(*m));
	l->put_off[l->put_off_count++] = *m;
	if (l->io.loop)
		loop_later_start(l->io.loop, &l->catch_up, on_catch_up);
}

void link_start(struct keeper_link *l, struct loop *loop)
{
	if (l->fd >= 0)
		loop_io_start(loop, &l->io, l->fd, LOOP_READ, on_readable);
	if (l->put_off_count)
		loop_later_start(loop, &l->catch_up, on_catch_up);
}

void link_stop(struct keeper_link *l)
{
	loop_io_stop(&l->io);
	loop_later_stop(&l->catch_up);
}

void link_close(struct keeper_link *l)
{
	link_stop(l);
	free(l->put_off);
	fd_close(&l->fd);
}

/* False: it neither reads nor speaks. */
static bool await_room(struct keeper_link *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN | POLLOUT };
	struct channel_message m;
	int fd = -1;

	if (poll(&p, 1, CHANNEL_PATIENCE_MS) == 0)
		return false;
	if (p.revents & POLLIN && channel_receive(l->fd, &m, &fd) > 0)
		link_put_off(l, &m);
	fd_close(&fd);
	return true;
}

static bool again(struct keeper_link *l)
{
	return errno == EINTR || (errno == EAGAIN && await_room(l));
}

/* That it is gone is heard from the loop. */
static void complain(enum channel_word word)
{
	if (errno != EPIPE && errno != ECONNRESET)
		log_error("the keeper was not told (%d): %s", (int)word, strerror(errno));
}

int link_say(struct keeper_link *l, enum channel_word word, int64_t number, const char *text,
	     int pass)
{
	while (l->fd >= 0 && channel_send_at_once(l->fd, word, number, text, pass) < 0)
		if (!again(l)) {
			complain(word);
			return -1;
		}
	return l->fd >= 0 ? 0 : -1;
}

void link_foster(struct keeper_link *l, struct channel_pids *p)
{
	while (l->fd >= 0 && p->count && channel_send_pids(l->fd, p) < 0)
		if (!again(l)) {
			complain(CHANNEL_FOSTER);
			break;
		}
	p->count = 0;
}

pid_t link_face(const struct keeper_link *l)
{
	return l->keeper ? l->keeper : getpid();
}
