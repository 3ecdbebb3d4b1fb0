#include "supervisor/deposit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

enum { AGAIN_MS = 100, TEXT_SIZE = 80 };
/* Answers to what is stored have the inode on top of this; upward.c's own are below. */
enum { NUMBER_FIRST = 16 };

#define NAME "holdport-"

void deposit_init(struct deposit *d, const char *most)
{
	long n = most ? strtol(most, NULL, 10) : 0;

	*d = (struct deposit){ .there = true, .most = n > 0 ? (size_t)n : 0 };
}

/* FDPOLL=0: a socket that a worker shut down, or that when_down = refuse shut, is mended by
 * us and must not be dropped for it. */
static void say(struct deposit *d, const struct deposit_word *w)
{
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=" NAME "%" PRIu64 "\nFDPOLL=0",
		       w->inode);
	link_say(d->custody->link, CHANNEL_NOTIFY, NUMBER_FIRST + (int64_t)w->inode, text,
		 d->custody->items[w->number].open);
}

/* At once, so that it is done also if this manager ends now. */
static void say_taken_back(struct deposit *d, uint64_t inode)
{
	char text[TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=" NAME "%" PRIu64, inode);
	link_say(d->custody->link, CHANNEL_NOTIFY, -(int64_t)inode, text, -1);
}

static void forget(struct deposit *d, size_t i)
{
	d->count--;
	memmove(d->words + i, d->words + i + 1, (d->count - i) * sizeof(*d->words));
}

static bool is_held(const struct custody *c, const struct deposit_word *w)
{
	return w->number < c->count && c->items[w->number].open >= 0 &&
	       c->items[w->number].inode == w->inode;
}

/* One that is to be stored is said alone, and answered before the next: a thousand of them
 * would fill the ways there and back. */
static void go_on(struct deposit *d)
{
	while (d->loop && !d->asked && d->count && !loop_timer_runs(&d->again)) {
		const struct deposit_word *w = &d->words[0];

		if (w->number && is_held(d->custody, w)) {
			d->asked = true;
			say(d, w);
			return;
		}
		if (!w->number)
			say_taken_back(d, w->inode);
		forget(d, 0);
	}
}

static void add(struct deposit *d, unsigned number, uint64_t inode)
{
	d->words = mem_grow(d->words, d->count + 1, sizeof(*d->words));
	d->words[d->count++] = (struct deposit_word){ number, inode };
}

/* True: it was waiting to be said. */
static bool cancel(struct deposit *d, uint64_t inode, bool to_be_stored)
{
	for (size_t i = d->asked; i < d->count; i++)
		if (d->words[i].inode == inode && !d->words[i].number == !to_be_stored) {
			forget(d, i);
			return true;
		}
	return false;
}

void deposit_left(struct deposit *d, const struct text_list *names)
{
	for (size_t i = 0; d->there && i < names->count; i++)
		if (strncmp(names->items[i], NAME, strlen(NAME)) == 0)
			add(d, 0, strtoull(names->items[i] + strlen(NAME), NULL, 10));
}

void deposit_start(struct deposit *d, struct loop *loop, struct custody *custody)
{
	if (!d->there)
		return;
	d->loop = loop;
	d->custody = custody;
	go_on(d);
}

void deposit_stop(struct deposit *d)
{
	loop_timer_stop(&d->again);
	free(d->words);
	*d = (struct deposit){ 0 };
}

static bool has_room(struct deposit *d)
{
	if (!d->most || d->stored < d->most)
		return true;
	if (!d->told)
		log_warning("the service manager stores %zu sockets, and not all that are held "
			    "(FileDescriptorStoreMax=)", d->most);
	d->told = true;
	return false;
}

void deposit_put(struct deposit *d, unsigned number, uint64_t inode)
{
	if (!d->there || !number)
		return;
	/* It was left to us: it is there. */
	if (cancel(d, inode, false))
		d->stored++;
	else if (has_room(d)) {
		d->stored++;
		add(d, number, inode);
		go_on(d);
	}
}

void deposit_take_back(struct deposit *d, uint64_t inode)
{
	if (!d->there)
		return;
	d->stored -= d->stored > 0;
	(void)cancel(d, inode, true);
	if (d->loop)
		say_taken_back(d, inode);
	else
		add(d, 0, inode);
}

static bool is_full(int why)
{
	return why == EAGAIN || why == ENOBUFS || why == EINTR || why == ETOOMANYREFS;
}

static void on_again(struct loop_timer *t)
{
	struct deposit *d = OWNER(t, struct deposit, again);

	loop_timer_stop(t);
	go_on(d);
}

static void try_again(struct deposit *d)
{
	loop_timer_start(d->loop, &d->again, AGAIN_MS, on_again);
}

bool deposit_answered(struct deposit *d, int64_t number, int why)
{
	if (number >= 0 && number < NUMBER_FIRST)
		return false;
	if (!d->loop)
		return true;
	if (number < 0 && is_full(why)) {
		add(d, 0, (uint64_t)-number);
		try_again(d);
	} else if (d->asked && d->words[0].inode == (uint64_t)(number - NUMBER_FIRST)) {
		if (!is_full(why))
			forget(d, 0);
		else
			try_again(d);
		d->asked = false;
		go_on(d);
	}
	return true;
}
