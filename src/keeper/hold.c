#include "keeper/hold.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

void hold_put(struct hold *h, int64_t number, const char *what, int *fd)
{
	if (number <= 0 || number >= CUSTODY_MOST || *fd < 0)
		return;
	while (h->count <= (size_t)number) {
		size_t more = h->count ? h->count : 64;

		h->items = mem_grow(h->items, h->count + more, sizeof(*h->items));
		for (size_t i = 0; i < more; i++)
			h->items[h->count++] = (struct hold_item){ .fd = -1 };
	}
	fd_close(&h->items[number].fd);
	h->items[number].fd = fd_take(fd);
	(void)snprintf(h->items[number].what, HOLD_WHAT, "%s", what);
}

void hold_inherit(struct hold *h, int *file)
{
	struct hold_left left;
	off_t at = 0;

	for (; pread(*file, &left, sizeof(left), at) == (ssize_t)sizeof(left); at += (off_t)sizeof(left)) {
		if (*left.what == *HOLD_ASIDE)
			continue;
		(void)fcntl(left.fd, F_SETFD, FD_CLOEXEC);
		hold_put(h, left.number, left.what, &left.fd);
	}
	fd_close(file);
}

static void add(struct channel_bundle *b, size_t number, const struct hold_item *i)
{
	struct channel_item *item = &b->items[b->count];

	item->number = (int32_t)number;
	memcpy(item->what, i->what, sizeof(item->what));
	b->fds[b->count++] = i->fd;
}

int hold_give(const struct hold *h, int channel)
{
	struct channel_bundle b = { .count = 0 };

	for (size_t i = 0; i < h->count; i++) {
		if (h->items[i].fd < 0)
			continue;
		add(&b, i, &h->items[i]);
		if (b.count == CHANNEL_MANY && channel_send_bundle(channel, &b) < 0)
			return -1;
	}
	return channel_send_bundle(channel, &b);
}

size_t hold_count(const struct hold *h)
{
	size_t count = 0;

	for (size_t i = 0; i < h->count; i++)
		count += h->items[i].fd >= 0;
	return count;
}

/* It may have been a stranger's, with SO_LINGER. */
void hold_drop(struct hold *h, int64_t number)
{
	if (number > 0 && (size_t)number < h->count)
		fd_drop(&h->items[number].fd);
}

void hold_foster(struct hold *h, const int32_t *pids, size_t count)
{
	h->fosters = mem_grow(h->fosters, h->foster_count + count, sizeof(*h->fosters));
	for (size_t i = 0; i < count; i++)
		if (!hold_is_foster(h, pids[i]))
			h->fosters[h->foster_count++] = pids[i];
}

bool hold_is_foster(const struct hold *h, pid_t pid)
{
	for (size_t i = 0; i < h->foster_count; i++)
		if (h->fosters[i] == pid)
			return true;
	return false;
}

void hold_release(struct hold *h, pid_t pid)
{
	for (size_t i = h->foster_count; i-- > 0;)
		if (h->fosters[i] == pid)
			h->fosters[i] = h->fosters[--h->foster_count];
}

void hold_close(struct hold *h)
{
	for (size_t i = 0; i < h->count; i++)
		fd_close(&h->items[i].fd);
	free(h->items);
	free(h->fosters);
	*h = (struct hold){ 0 };
}
