#include "keeper/custody.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "keeper/hold.h"

enum { GIVEN_WITHIN_MS = 10000, DROP_PATIENCE_MS = 1000 };

static struct custody_item *item_at(struct custody *c, size_t number)
{
	while (c->count <= number) {
		c->items = mem_grow(c->items, c->count + 1, sizeof(*c->items));
		c->items[c->count++] = (struct custody_item){ .fd = -1, .open = -1 };
	}
	return &c->items[number];
}

static void name_it(struct custody_item *i, const char *what)
{
	(void)snprintf(i->what, sizeof(i->what), "%.*s", (int)sizeof(i->what) - 1, what);
}

static void put(struct custody *c, int64_t number, const char *what, int *fd)
{
	if (number > 0 && number < CUSTODY_MOST) {
		struct custody_item *i = item_at(c, (size_t)number);

		fd_close(&i->fd);
		i->fd = fd_take(fd);
		name_it(i, what);
	}
	fd_close(fd);
}

/* What is given to us, among what else the keeper may say; true: that was all. */
static bool take(struct custody *c, const struct channel_message *m, int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (m->word == CHANNEL_GIVE_MANY)
			put(c, m->items[i].number, m->items[i].what, &fds[i]);
		else
			put(c, m->word == CHANNEL_GIVE ? m->number : 0, m->text, &fds[i]);
	if (m->word == CHANNEL_GIVEN) {
		c->settled = m->number;
		c->orphaned = m->other;
		free(c->rolled_back);
		c->rolled_back = mem_text(m->text);
	} else if (m->word != CHANNEL_GIVE && m->word != CHANNEL_GIVE_MANY) {
		link_put_off(c->link, m);
	}
	return m->word == CHANNEL_GIVEN;
}

void custody_init(struct custody *c, struct keeper_link *link)
{
	*c = (struct custody){ .link = link, .rolled_back = mem_text("") };
}

/* Where the keeper gives a copy too, that takes its place. */
size_t custody_inherit(struct custody *c, int *file)
{
	struct hold_left left;
	size_t count = 0;

	c->settled = *file >= 0;
	for (; pread(*file, &left, sizeof(left), (off_t)(count * sizeof(left))) ==
	       (ssize_t)sizeof(left); count++) {
		struct custody_item *i = item_at(c, (size_t)left.number);

		i->fd = left.fd;
		name_it(i, left.what);
	}
	fd_close(file);
	return count;
}

int custody_open(struct custody *c, struct err *err)
{
	struct keeper_link *link = c->link;
	struct pollfd p = { .fd = link->fd, .events = POLLIN };
	struct channel_message m;
	int fds[CHANNEL_MANY], got = 0;
	size_t count;
	bool all = false;

	while (!all && got >= 0) {
		if (poll(&p, 1, GIVEN_WITHIN_MS) == 0)
			break;
		got = channel_receive_many(link->fd, &m, fds, &count);
		all = got > 0 && take(c, &m, fds, count);
	}
	return all ? 0 : err_set(err, got < 0 ? EPIPE : 0,
				 "the keeper does not say what it holds");
}

void custody_close(struct custody *c)
{
	for (size_t i = 0; i < c->count; i++)
		fd_close(&c->items[i].fd);
	free(c->items);
	free(c->rolled_back);
	*c = (struct custody){ 0 };
}

uint64_t custody_inode(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static void note_open(struct custody_item *i, int fd)
{
	i->open = fd;
	i->inode = custody_inode(fd);
}

static size_t free_number(const struct custody *c)
{
	size_t n = c->free_from ? c->free_from : 1;

	while (n < c->count && *c->items[n].what)
		n++;
	return n;
}

unsigned custody_hold(struct custody *c, int fd, const char *what)
{
	size_t n;

	if (!c || !c->link || fd < 0 || (n = free_number(c)) >= CUSTODY_MOST)
		return 0;
	name_it(item_at(c, n), what);
	note_open(&c->items[n], fd);
	c->free_from = n + 1;
	link_say(c->link, CHANNEL_HOLD, (int64_t)n, what, fd);
	return (unsigned)n;
}

void custody_replace(struct custody *c, unsigned number, int fd)
{
	if (!number || number >= c->count)
		return;
	note_open(&c->items[number], fd);
	link_say(c->link, CHANNEL_HOLD, number, c->items[number].what, fd);
}

void custody_moved(struct custody *c, unsigned number, int fd)
{
	if (number && number < c->count)
		note_open(&c->items[number], fd);
}

static void drop(struct custody *c, unsigned *number, int pass)
{
	if (!c || !*number || *number >= c->count)
		return;
	fd_close(&c->items[*number].fd);
	c->items[*number].open = -1;
	c->items[*number].what[0] = '\0';
	if (*number < c->free_from)
		c->free_from = *number;
	link_say(c->link, CHANNEL_DROP, *number, NULL, pass);
	*number = 0;
}

void custody_drop(struct custody *c, unsigned *number)
{
	drop(c, number, -1);
}

/* The keeper closes what comes with a message when it has done what it says. */
void custody_drop_now(struct custody *c, unsigned *number)
{
	int ends[2];
	struct pollfd hang_up = { .events = POLLIN };

	if (!c || c->slow || !c->link || c->link->fd < 0 || pipe2(ends, O_CLOEXEC) < 0) {
		drop(c, number, -1);
		return;
	}
	drop(c, number, ends[1]);
	fd_close(&ends[1]);
	hang_up.fd = ends[0];
	c->slow = poll(&hang_up, 1, DROP_PATIENCE_MS) == 0;
	fd_close(&ends[0]);
}

int custody_claim(struct custody *c, unsigned number, const char *what)
{
	if (!c || !number || number >= c->count || c->items[number].fd < 0 ||
	    strcmp(c->items[number].what, what) != 0)
		return -1;
	note_open(&c->items[number], c->items[number].fd);
	return fd_take(&c->items[number].fd);
}

void custody_take(struct custody *c, unsigned number, const char *what, int *fd)
{
	struct custody_item *i;

	if (!number || number >= CUSTODY_MOST) {
		fd_close(fd);
		return;
	}
	i = item_at(c, number);
	fd_close(&i->fd);
	name_it(i, what);
	i->fd = fd_take(fd);
}

static void say_held(struct custody *c, size_t number)
{
	if (c->items[number].fd >= 0)
		link_say(c->link, CHANNEL_HOLD, (int64_t)number, c->items[number].what,
			 c->items[number].fd);
}

void custody_put(struct custody *c, unsigned number, const char *what, int *fd)
{
	custody_take(c, number, what, fd);
	if (number < c->count)
		say_held(c, number);
}

static int turn_of(const char *what)
{
	return strcmp(what, "lock") == 0 ? 2 : strcmp(what, "journal") == 0 ? 1 : 0;
}

void custody_tell(struct custody *c)
{
	for (int turn = 0; turn <= 2; turn++)
		for (size_t n = 1; n < c->count; n++)
			if (turn_of(c->items[n].what) == turn)
				say_held(c, n);
}

uint64_t custody_inode_of(const struct custody *c, unsigned number)
{
	return c && number && number < c->count ? c->items[number].inode : 0;
}

unsigned custody_find(const struct custody *c, const char *what)
{
	for (size_t n = 1; n < c->count; n++)
		if (c->items[n].fd >= 0 && strcmp(c->items[n].what, what) == 0)
			return (unsigned)n;
	return 0;
}

void custody_sweep(struct custody *c)
{
	for (size_t n = 1; n < c->count; n++) {
		unsigned number = (unsigned)n;

		if (c->items[n].fd >= 0)
			custody_drop(c, &number);
	}
}
