#include "process/fd_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"

void fd_store_init(struct fd_store *s, struct loop *loop)
{
	*s = (struct fd_store){ .loop = loop, .hangups = -1 };
}

static void remove_at(struct fd_store *s, size_t i)
{
	struct kept_fd *k = &s->items[i];

	/* Closing is not enough: a worker may have it too, and then it stays watched. */
	if (k->watched)
		platform_hangups_remove(s->hangups, k->fd);
	if (k->kept && s->dropped)
		s->dropped(s, k->kept);
	fd_drop(&k->fd);
	free(k->name);
	s->count--;
	memmove(k, k + 1, (s->count - i) * sizeof(*k));
}

static void on_hangup(struct loop_io *io, int events)
{
	struct fd_store *s = OWNER(io, struct fd_store, io);
	int fd;

	(void)events;
	while ((fd = platform_hangups_next(s->hangups)) >= 0) {
		platform_hangups_remove(s->hangups, fd);
		for (size_t i = s->count; i-- > 0;)
			if (s->items[i].fd == fd)
				remove_at(s, i);
	}
}

static bool watch(struct fd_store *s, int fd)
{
	if (s->hangups < 0 && (s->hangups = platform_hangups_open()) >= 0)
		loop_io_start(s->loop, &s->io, s->hangups, LOOP_READ, on_hangup);
	return s->hangups >= 0 && platform_hangups_add(s->hangups, fd) == 0;
}

bool fd_store_put(struct fd_store *s, const char *name, int *fd, bool watched)
{
	int taken = fd_take(fd);

	for (size_t i = 0; i < s->count; i++)
		if (platform_same_file(s->items[i].fd, taken)) {
			fd_drop(&taken);
			return true;
		}
	if (s->count == FD_STORE_MOST) {
		fd_drop(&taken);
		return false;
	}
	s->items = mem_grow(s->items, s->count + 1, sizeof(*s->items));
	s->items[s->count++] = (struct kept_fd){ .fd = taken, .name = mem_text(name),
						 .watched = watched && watch(s, taken) };
	return true;
}

void fd_store_remove(struct fd_store *s, const char *name)
{
	for (size_t i = s->count; i-- > 0;)
		if (strcmp(s->items[i].name, name) == 0)
			remove_at(s, i);
}

void fd_store_clear(struct fd_store *s)
{
	while (s->count)
		remove_at(s, s->count - 1);
	free(s->items);
	s->items = NULL;
	loop_io_stop(&s->io);
	fd_close(&s->hangups);
}
