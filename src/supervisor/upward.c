#include "supervisor/upward.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

enum { AGAIN_MS = 100, PENDING_MOST = 2048 };

void upward_init(struct upward *u, const char *path, const char *usec, const char *pid)
{
	long long interval = usec ? strtoll(usec, NULL, 10) : 0;

	*u = (struct upward){ .fd = -1 };
	if (!path || !*path)
		return;
	if (*path != '/' && *path != '@') {
		log_warning("NOTIFY_SOCKET=%s: neither a path nor an abstract name; nobody is "
			    "notified", path);
		return;
	}
	u->path = mem_text(path);
	if (interval > 0 && (!pid || strtol(pid, NULL, 10) == (long)getpid()))
		u->interval = interval / 2000 > 0 ? interval / 2000 : 1;
}

/* False: it would have to wait. */
static bool send_text(struct upward *u, const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = strlen(u->path);

	if (length >= sizeof(to.sun_path))
		errno = ENAMETOOLONG;
	else {
		memcpy(to.sun_path, u->path, length);
		if (to.sun_path[0] == '@')
			to.sun_path[0] = '\0';
		if (sendto(u->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
			   (struct sockaddr *)&to,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) >= 0)
			return true;
	}
	if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
		return false;
	if (!u->refused)
		log_warning("cannot notify %s: %s", u->path, strerror(errno));
	u->refused = true;
	return true;
}

static void on_again(struct loop_timer *t);

static void flush(struct upward *u)
{
	struct str text = { 0 };

	str_add(&text, str_text(&u->pending));
	if (u->status_due)
		str_addf(&text, "%sSTATUS=%s", text.length ? "\n" : "", u->status);
	if (!text.length || send_text(u, str_text(&text))) {
		str_clear(&u->pending);
		u->status_due = false;
	} else {
		loop_timer_start(u->loop, &u->again, AGAIN_MS, on_again);
	}
	str_fini(&text);
}

static void on_again(struct loop_timer *t)
{
	flush(OWNER(t, struct upward, again));
}

static void on_alive(struct loop_timer *t)
{
	struct upward *u = OWNER(t, struct upward, alive);

	(void)send_text(u, "WATCHDOG=1");
	loop_timer_start(u->loop, &u->alive, u->interval, on_alive);
}

void upward_start(struct upward *u, struct loop *loop)
{
	if (!u->path)
		return;
	u->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (u->fd < 0)
		return;
	u->loop = loop;
	if (u->interval)
		loop_timer_start(loop, &u->alive, 0, on_alive);
}

void upward_stop(struct upward *u)
{
	loop_timer_stop(&u->alive);
	loop_timer_stop(&u->again);
	if (u->loop)
		fd_close(&u->fd);
	str_fini(&u->pending);
	free(u->status);
	free(u->path);
	*u = (struct upward){ .fd = -1 };
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
