#include "keeper/link.h"

#include <errno.h>
#include <fcntl.h>
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

static void on_readable(struct loop_io *io, int events)
{
	struct keeper_link *l = OWNER(io, struct keeper_link, io);
	struct channel_message m;
	int fd = -1, got = 1;

	(void)events;
	while (l->fd >= 0 && (got = channel_receive(l->fd, &m, &fd)) > 0) {
		l->heard(l, &m, &fd);
		fd_close(&fd);
	}
	if (got < 0)
		lose(l);
}

void link_put_off(struct keeper_link *l, const struct channel_message *m)
{
	l->put_off = mem_grow(l->put_off, l->put_off_count + 1, sizeof(*m));
	l->put_off[l->put_off_count++] = *m;
}

static void on_catch_up(struct loop_later *later)
{
	struct keeper_link *l = OWNER(later, struct keeper_link, catch_up);
	int none = -1;

	for (size_t i = 0; i < l->put_off_count; i++)
		l->heard(l, &l->put_off[i], &none);
	free(l->put_off);
	l->put_off = NULL;
	l->put_off_count = 0;
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

/* That it is gone is heard from the loop. */
void link_say(struct keeper_link *l, enum channel_word word, int64_t number, const char *text,
	      int pass)
{
	if (l->fd >= 0 && channel_send(l->fd, word, number, 0, text, pass) < 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		log_error("the keeper was not told (%d): %s", (int)word, strerror(errno));
}

pid_t link_face(const struct keeper_link *l)
{
	return l->keeper ? l->keeper : getpid();
}
