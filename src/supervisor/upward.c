#include "supervisor/upward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

enum { AGAIN_MS = 100, PENDING_MOST = 2048 };
enum { NUMBER_ALIVE, NUMBER_TEXT };	/* which message is answered */

void upward_init(struct upward *u, const char *path, const char *usec, const char *pid,
		 pid_t us)
{
	long long interval = usec ? strtoll(usec, NULL, 10) : 0;

	*u = (struct upward){ 0 };
	if (!path || !*path)
		return;
	if (*path != '/' && *path != '@') {
		log_warning("NOTIFY_SOCKET=%s: neither a path nor an abstract name; nobody is "
			    "notified", path);
		return;
	}
	u->there = true;
	if (interval > 0 && (!pid || strtol(pid, NULL, 10) == (long)us))
		u->interval = interval / 2000 > 0 ? interval / 2000 : 1;
}

static void say_sent(struct upward *u)
{
	link_say(u->link, CHANNEL_NOTIFY, NUMBER_TEXT, u->sent, -1);
}

/* A status may name many programs: cut, not in the middle of a character of UTF-8. */
static char *fit(const char *text)
{
	size_t length = strlen(text);

	if (length >= CHANNEL_TEXT) {
		length = CHANNEL_TEXT - 1;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	return mem_text_n(text, length);
}

static void flush(struct upward *u)
{
	struct str text = { 0 };

	if (u->sent)
		return;
	str_add(&text, str_text(&u->pending));
	if (u->status_due)
		str_addf(&text, "%sSTATUS=%s", text.length ? "\n" : "", u->status);
	if (text.length) {
		u->sent = fit(str_text(&text));
		str_clear(&u->pending);
		u->status_due = false;
		say_sent(u);
	}
	str_fini(&text);
}

static void on_again(struct loop_timer *t)
{
	say_sent(OWNER(t, struct upward, again));
}

void upward_answered(struct upward *u, int64_t number, int why)
{
	if (deposit_answered(&u->deposit, number, why) || number != NUMBER_TEXT || !u->sent)
		return;
	if (why == EAGAIN || why == ENOBUFS || why == EINTR) {
		loop_timer_start(u->loop, &u->again, AGAIN_MS, on_again);
		return;
	}
	if (why && !u->refused)
		log_warning("cannot notify NOTIFY_SOCKET: %s", strerror(why));
	u->refused = u->refused || why;
	free(u->sent);
	u->sent = NULL;
	flush(u);
}

static void on_alive(struct loop_timer *t)
{
	struct upward *u = OWNER(t, struct upward, alive);

	link_say(u->link, CHANNEL_NOTIFY, NUMBER_ALIVE, "WATCHDOG=1", -1);
	loop_timer_start(u->loop, &u->alive, u->interval, on_alive);
}

void upward_start(struct upward *u, struct loop *loop, struct keeper_link *link)
{
	if (!u->there)
		return;
	u->loop = loop;
	u->link = link;
	if (u->interval)
		loop_timer_start(loop, &u->alive, 0, on_alive);
}

void upward_stop(struct upward *u)
{
	loop_timer_stop(&u->alive);
	loop_timer_stop(&u->again);
	deposit_stop(&u->deposit);
	str_fini(&u->pending);
	free(u->status);
	free(u->sent);
	*u = (struct upward){ 0 };
}

void upward_say(struct upward *u, const char *lines)
{
	if (!u->loop || u->pending.length > PENDING_MOST)
		return;
	str_addf(&u->pending, "%s%s", u->pending.length ? "\n" : "", lines);
	flush(u);
}

void upward_reloading(struct upward *u)
{
	char *lines = mem_format("RELOADING=1\nMONOTONIC_USEC=%lld",
				 (long long)clock_monotonic_us());

	upward_say(u, lines);
	free(lines);
}

void upward_status(struct upward *u, const char *text)
{
	if (!u->loop || (u->status && strcmp(u->status, text) == 0))
		return;
	free(u->status);
	u->status = mem_text(text);
	u->status_due = true;
	flush(u);
}
