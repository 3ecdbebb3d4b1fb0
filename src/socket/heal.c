#include "socket/heal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "socket/anchor.h"
#include "socket/group.h"
#include "socket/held.h"
#include "socket/open.h"

static const struct held *leader_of(const struct held *h)
{
	return h->group ? h->group->slots[0] : h;
}

/* One that was shut down is the store's to heal: it is about to hear of it. */
static bool listens(const struct held *h)
{
	socklen_t length = sizeof(int);
	int yes = 0;

	return h->state == HELD_LISTENING && !leader_of(h)->leaving &&
	       (h->key.type == SOCK_DGRAM ||
		(getsockopt(h->fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &length) == 0 && yes));
}

void heal_suspect(const struct held *h, struct str *ret)
{
	size_t before = ret->length;

	if (h->store->suspect)
		h->store->suspect(h, ret, h->store->ctx);
	if (ret->length == before)
		str_add(ret, "somebody");
}

/* Each mends one thing: 1 if it was changed and is mended, 0 if it was not, -1 if it
 * cannot be.  done is what was found and what is now, or err why not. */

/* A number above the system's limit was cut to it by listen(2), there as here. */
static int mend_backlog(struct held *h, struct str *done, struct err *err)
{
	int queue, backlog, again, want = socket_backlog(h->settings);

	if (h->key.type == SOCK_DGRAM || platform_queue(h->fd, &queue, &backlog) < 0 ||
	    backlog == want)
		return 0;
	if (platform_listen(h->fd, want) < 0)
		return err_sys(err, errno, "its backlog is %d, and cannot be %d", backlog, want);
	if (platform_queue(h->fd, &queue, &again) < 0 || again == backlog)
		return 0;
	str_addf(done, "set its backlog to %d; it is %d again", backlog, again);
	return 1;
}

static int mend_blocking(struct held *h, struct str *done, struct err *err)
{
	int flags = fcntl(h->fd, F_GETFL);
	bool now = flags & O_NONBLOCK, want = h->settings->non_blocking == CHOICE_YES;

	if (h->settings->non_blocking == CHOICE_AUTO || flags < 0 || now == want)
		return 0;
	if (fd_non_blocking(h->fd, want) < 0)
		return err_sys(err, errno, "its blocking mode cannot be changed back");
	str_addf(done, "made it %s; it is %s again", now ? "non-blocking" : "blocking",
		 want ? "non-blocking" : "blocking");
	return 1;
}

static int mend_device(struct held *h, struct str *done, struct err *err)
{
	const char *device = h->settings->bind_device;

	/* A server that bound it itself may have chosen one. */
	if (h->settings->by_worker && !device)
		return 0;
	if (h->key.family == AF_UNIX || leader_of(h)->deaf || platform_hears(h->fd, device))
		return 0;
	if (platform_hear(h->fd, device, err) < 0)
		return err_in(err, "it is bound to another network interface");
	str_addf(done, "bound it to another network interface; it is on %s again",
		 device ? device : "all");
	return 1;
}

/* A datagram server may have good reasons for a filter; on a listener it decides who
 * may connect. */
static int mend_filter(struct held *h, struct str *done, struct err *err)
{
	int rc;

	if (h->key.family == AF_UNIX || h->key.type == SOCK_DGRAM)
		return 0;
	rc = platform_drop_filter(h->fd);
	if (rc < 0)
		return err_sys(err, errno, "it has a filter that cannot be taken off");
	if (rc)
		str_add(done, "put a filter on it; that is gone");
	return rc;
}

/* Where both names are gone nobody finds this one again: another is bound. */
static int mend_path(struct held *h, struct str *done, struct err *err)
{
	int rc = anchor_mend(h, err);

	if (rc > 0)
		str_add(done, "removed its path; it is there again");
	return rc;
}

static const struct mending {
	int (*mend)(struct held *h, struct str *done, struct err *err);
	enum log_level level;	/* servers call listen(2) on what they are given */
} mendings[] = {
	{ mend_backlog, LOG_LEVEL_INFO },
	{ mend_blocking, LOG_LEVEL_INFO },
	{ mend_device, LOG_LEVEL_WARNING },
	{ mend_filter, LOG_LEVEL_WARNING },
	{ mend_path, LOG_LEVEL_WARNING },
};

static void tell(const struct held *h, enum log_level level, const char *done)
{
	char address[ADDRESS_TEXT_SIZE];
	struct str who = { 0 };

	heal_suspect(h, &who);
	log_line(level, "socket %s: %s: %s %s", h->settings->name,
		 address_text(&h->key.address, address), str_text(&who), done);
	str_fini(&who);
}

static void spoil(struct held *h, const struct err *err)
{
	struct str who = { 0 };

	if (h->spoilt)
		return;
	heal_suspect(h, &who);
	h->spoilt = true;
	free(h->reason);
	h->reason = mem_format("%s spoilt it, and it must be bound anew: %s", str_text(&who),
			       err->text);
	log_error("socket %s: %s", h->settings->name, h->reason);
	str_fini(&who);
}

static void unspoil(struct held *h)
{
	if (!h->spoilt)
		return;
	h->spoilt = false;
	free(h->reason);
	h->reason = NULL;
	log_notice("socket %s: it is as it should be again", h->settings->name);
}

static void lose(struct held *h, const struct err *err)
{
	tell(h, LOG_LEVEL_WARNING, "removed its path and the second name of that; it is bound anew");
	held_busy(h, err);
}

void heal_look(struct held *h)
{
	struct err lost = { 0 };
	bool sound = true;

	if (!listens(h))
		return;
	for (const struct mending *m = mendings; m < mendings + COUNT(mendings); m++) {
		struct str done = { 0 };
		struct err err = { 0 };
		int rc = m->mend(h, &done, &err);

		if (rc > 0)
			tell(h, m->level, str_text(&done));
		else if (rc < 0 && err.code == ENOENT && h->key.family == AF_UNIX)
			lost = err;
		else if (rc < 0)
			spoil(h, &err);
		sound = sound && rc >= 0;
		str_fini(&done);
	}
	if (sound)
		unspoil(h);
	group_assert(h);
	if (lost.code)
		lose(h, &lost);
}

void heal_look_at(struct held *const *held, size_t count)
{
	for (size_t i = 0; i < count; i++)
		heal_look(held[i]);
}
