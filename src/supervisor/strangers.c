/* Who still has a listener though his generation is gone: a process that a worker left
 * behind takes its share of the clients, and nobody would know.
 *
 * That takes a walk over all processes, during which the loop stands still: a short
 * one (LOOK_MS), a moment after the generation went (those that are leaving may), and
 * one for all that went meanwhile.  On a busy machine it is cut short, and tried again
 * a few times. */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "socket/group.h"
#include "supervisor/supervisor.h"

enum { MOMENT_MS = 500, PAUSE_MS = 10000, LOOK_MS = 150, STRANGERS_MOST = 64,
       AGAIN_MS = 2000, AGAIN_MOST = 5 };

/* One walk. */
struct look {
	struct supervisor *s;
	struct held **held;
	unsigned long *inodes;
	size_t count;
	struct stranger *found;
	size_t found_count;
	pid_t pid;			/* looked at last, and whether it is one of ours */
	bool ours;
};

static void add(struct look *l, struct held *h)
{
	if (h->fd < 0)
		return;
	l->held = mem_grow(l->held, l->count + 1, sizeof(struct held *));
	l->inodes = mem_grow(l->inodes, l->count + 1, sizeof(*l->inodes));
	l->held[l->count] = h;
	l->inodes[l->count++] = h->inode;
}

static bool is_known(const struct strangers *known, const struct stranger *one)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->told[i].pid == one->pid && known->told[i].inode == one->inode)
			return true;
	return false;
}

static void tell(struct look *l, const struct held *h, const struct socket_copy *copy)
{
	char address[ADDRESS_TEXT_SIZE];
	char *text = mem_format("process %ld (%s) has %s as descriptor %d, and is no worker: it "
				"may take clients", (long)copy->pid,
				*copy->program ? copy->program : "its program is not visible",
				address_text(&h->key.address, address), copy->fd);
	struct news n = { .what = "socket", .state = "stranger", .worker = -1, .pid = copy->pid,
			  .text = text };

	log_warning("socket %s: %s", h->settings->name, text);
	events_add(&l->s->control.events, &n, h->settings->name);
	free(text);
}

/* An activator that gave us the socket has it by right. */
static bool may_have(struct look *l, const struct held *h, pid_t pid)
{
	if (l->pid != pid)
		l->ours = pid == getppid() || control_holder(&l->s->control, pid);
	l->pid = pid;
	return l->ours || h->origin == ORIGIN_INHERITED;
}

static bool on_copy(const struct socket_copy *copy, void *ctx)
{
	struct look *l = ctx;
	struct stranger one = { .pid = copy->pid, .inode = copy->inode };
	size_t i = 0;

	while (i < l->count && l->inodes[i] != copy->inode)
		i++;
	if (i == l->count || may_have(l, l->held[i], copy->pid))
		return false;
	if (!is_known(&l->s->strangers, &one))
		tell(l, l->held[i], copy);
	l->found = mem_grow(l->found, l->found_count + 1, sizeof(one));
	l->found[l->found_count++] = one;
	return l->found_count >= STRANGERS_MOST;
}

static void on_look(struct loop_timer *t);

/* Who was not reached this time is not told anew the next time. */
static void keep_told(struct look *l)
{
	const struct strangers *known = &l->s->strangers;

	for (size_t i = 0; i < known->count && l->found_count < STRANGERS_MOST; i++) {
		l->found = mem_grow(l->found, l->found_count + 1, sizeof(*l->found));
		l->found[l->found_count++] = known->told[i];
	}
}

static void look_again(struct supervisor *s)
{
	if (s->strangers.tries++ < AGAIN_MOST)
		loop_timer_start(s->loop, &s->strangers.look, AGAIN_MS, on_look);
	else
		log_debug("not every process could be looked at for copies of sockets");
}

static void on_look(struct loop_timer *t)
{
	struct supervisor *s = OWNER(t, struct supervisor, strangers.look);
	struct look l = { .s = s };

	s->strangers.looked = loop_now(s->loop);
	list_each(h, &s->store.sockets, struct held, node)
		for (size_t i = 0; i < group_size(h); i++)
			add(&l, group_slot(h, i));
	if (l.count &&
	    platform_socket_copies(l.inodes, l.count, LOOK_MS, on_copy, &l, NULL) == 0) {
		keep_told(&l);
		look_again(s);
	}
	free(s->strangers.told);
	s->strangers.told = l.found;
	s->strangers.count = l.found_count;
	free(l.held);
	free(l.inodes);
}

void supervisor_look_for_strangers(struct supervisor *s)
{
	int64_t next = s->strangers.looked ? s->strangers.looked + PAUSE_MS - loop_now(s->loop) : 0;

	s->strangers.tries = 0;
	if (s->state == MANAGER_RUNNING && !loop_timer_runs(&s->strangers.look))
		loop_timer_start(s->loop, &s->strangers.look,
				 next > MOMENT_MS ? next : MOMENT_MS, on_look);
}

void supervisor_strangers_stop(struct supervisor *s)
{
	loop_timer_stop(&s->strangers.look);
	free(s->strangers.told);
	s->strangers.told = NULL;
	s->strangers.count = 0;
}
