#include "socket/anchor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "socket/heal.h"
#include "socket/unix_path.h"

/* Who removes it again and again is not followed faster. */
enum { PAUSE_MS = 100 };

static char *name_of(const struct held *h)
{
	const char *path = address_path(&h->key.address), *slash = strrchr(path, '/');

	return mem_format("%.*s/.%s.holdport", (int)(slash - path), path, slash + 1);
}

static bool is_ours(const struct held *h, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == h->path.inode &&
	       st.st_dev == h->path.device;
}

/* link(2) does not follow a link that somebody put there meanwhile: it would make a
 * second name of that, which is seen. */
static bool make_link(const struct held *h, const char *from, const char *to)
{
	if (link(from, to) < 0)
		return false;
	if (is_ours(h, to))
		return true;
	(void)unlink(to);
	errno = ESTALE;
	return false;
}

static void remove_socket(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}

static void on_links(struct loop_io *io, int events);

static void watch(struct anchors *a)
{
	if (a->set >= 0)
		loop_io_start(a->loop, &a->io, a->set, LOOP_READ, on_links);
}

void anchor_drop(struct held *h)
{
	struct anchors *a = &h->store->anchors;
	char *name;

	if (!h->path.inode)
		return;
	if (a->set < 0) {
		a->set = platform_links_open();
		watch(a);
	}
	name = name_of(h);
	remove_socket(name);	/* of a predecessor that was killed */
	h->anchored = make_link(h, address_path(&h->key.address), name);
	if (!h->anchored)
		log_info("socket %s: %s cannot be linked, so a path that is removed is lost: %s",
			 h->settings->name, name, strerror(errno));
	h->link_watch = h->anchored && a->set >= 0 ? platform_links_add(a->set, name) : -1;
	free(name);
}

void anchor_weigh(struct held *h)
{
	char *name;

	if (!h->anchored)
		return;
	h->anchored = false;
	if (h->link_watch >= 0)
		platform_links_remove(h->store->anchors.set, h->link_watch);
	name = name_of(h);
	if (is_ours(h, name))
		(void)unlink(name);
	free(name);
}

int anchor_mend(struct held *h, struct err *err)
{
	const char *path = address_path(&h->key.address);
	struct stat st;
	char *name;
	bool there;

	if (!h->path.inode || is_ours(h, path))
		return 0;
	if (lstat(path, &st) == 0)
		return err_set(err, EEXIST, "%s is another file now", path);
	name = name_of(h);
	there = h->anchored && make_link(h, name, path);
	free(name);
	return there ? 1 : err_set(err, ENOENT, "%s was removed, and cannot be linked again", path);
}

static struct held *find(struct store *s, int link_watch)
{
	list_each(h, &s->sockets, struct held, node)
		if (h->anchored && h->link_watch == link_watch)
			return h;
	return NULL;
}

static void on_pause_over(struct loop_timer *t)
{
	watch(OWNER(t, struct anchors, pause));
}

static void on_links(struct loop_io *io, int events)
{
	struct anchors *a = OWNER(io, struct anchors, io);
	int link_watch;

	(void)events;
	while ((link_watch = platform_links_next(a->set)) >= 0) {
		struct held *h = find(a->store, link_watch);

		if (h)
			heal_look(h);
	}
	loop_io_stop(&a->io);
	loop_timer_start(a->loop, &a->pause, PAUSE_MS, on_pause_over);
}

void anchors_init(struct anchors *a, struct loop *loop, struct store *s)
{
	*a = (struct anchors){ .loop = loop, .store = s, .set = -1 };
}

void anchors_fini(struct anchors *a)
{
	loop_io_stop(&a->io);
	loop_timer_stop(&a->pause);
	fd_close(&a->set);
}
