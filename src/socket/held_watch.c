/* A held socket that listens: what hangs it up is mended. */
#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/owner.h"
#include "base/str.h"
#include "platform/platform.h"
#include "socket/anchor.h"
#include "socket/group.h"
#include "socket/heal.h"
#include "socket/held.h"
#include "socket/open.h"

static void on_hang_up(struct loop_io *io, int events);

/* A listener never becomes writable: what wakes us is its hang-up, never a
 * connection.  A datagram socket is writable always, and cannot hang up. */
void held_watch(struct held *h)
{
	struct stat st;

	h->inode = fstat(h->fd, &st) == 0 ? st.st_ino : 0;
	if (h->kept && !h->kept_inode)
		h->kept_inode = h->inode;	/* given back */
	h->bindings++;
	if (h->group && h->key.slot && h->bindings > 1)
		h->group->bound_again++;
	group_joined(h);
	/* A file that somebody else made is his to remove. */
	h->path = h->origin == ORIGIN_BOUND || h->own_path ? unix_path_note(&h->key) :
					      (struct unix_path){ .inode = 0 };
	anchor_drop(h);
	gate_open(&h->gate);
	held_forget_reason(h);
	if (h->key.type != SOCK_DGRAM)
		loop_io_start(h->store->loop, &h->hang_up, h->fd, LOOP_WRITE, on_hang_up);
}

void held_watch_again(struct held *h)
{
	group_joined(h);
	loop_io_start(h->store->loop, &h->hang_up, h->fd, LOOP_WRITE, on_hang_up);
}

/* The pause between two healings is over. */
static void on_again(struct loop_timer *t)
{
	held_move(OWNER(t, struct held, again), HELD_EV_HANG_UP, false);
}

static void on_hang_up(struct loop_io *io, int events)
{
	(void)events;
	held_move(OWNER(io, struct held, hang_up), HELD_EV_HANG_UP, false);
}

/* What a shutdown(2) did to a TCP listener another listen(2) undoes, in every
 * process that has it.  A unix socket stays shut: only a new one helps. */
static int listen_again(struct held *h, struct err *err)
{
	if (h->key.family == AF_UNIX)
		return err_set(err, 0, "shut the listener down; it is bound anew");
	if (platform_listen(h->fd, socket_backlog(h->settings)) < 0)
		return err_sys(err, errno, "shut the listener down, and it cannot listen again");
	return 0;
}

void held_heal(struct held *h)
{
	int64_t now = loop_now(h->store->loop);
	char text[ADDRESS_TEXT_SIZE];
	struct err err = { 0 }, why = { 0 };
	struct str who = { 0 };

	address_text(&h->key.address, text);
	if (now - h->healed < HEAL_PAUSE_MS) {
		loop_io_stop(&h->hang_up);
		loop_timer_start(h->store->loop, &h->again, HEAL_PAUSE_MS, on_again);
		return;
	}
	h->healed = now;
	heal_suspect(h, &who);
	if (listen_again(h, &why)) {
		(void)err_set(&err, why.code, "%s %s", str_text(&who), why.text);
		log_warning("%s: %s: %s", h->settings->name, text, err.text);
		held_busy(h, &err);
	} else {
		log_warning("%s: %s shut the listener %s down; it listens again",
			    h->settings->name, str_text(&who), text);
		group_left(h);
		held_watch_again(h);
	}
	str_fini(&who);
}
