#include "logs/outlet.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "logs/lines.h"

enum { PATIENCE_MS = 1000 };

static const struct {
	struct sockaddr_un address;
	const char *who;
	void (*form)(const struct entry *e, struct str *out);
} kinds[] = {
	[LOG_TO_SYSLOG] = { { AF_UNIX, "/dev/log" }, "syslog", entry_for_syslog },
	[LOG_TO_JOURNAL] = { { AF_UNIX, "/run/systemd/journal/socket" }, "the journal",
			     entry_for_journal },
};

/* Whoever keeps the logs of all does not answer: it is waited for once, not by each. */
static atomic_bool stuck[sizeof(kinds) / sizeof(*kinds)];

int outlet_open(struct outlet *o, struct err *err)
{
	const struct sockaddr_un *a = &kinds[o->to].address;
	int s;

	if (o->fd >= 0)
		return 0;
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0 || connect(s, (const struct sockaddr *)a, sizeof(*a)) < 0) {
		(void)err_sys(err, errno, "%s does not listen at %s", kinds[o->to].who, a->sun_path);
		fd_close(&s);
		return -1;
	}
	o->fd = s;
	return 0;
}

void outlet_close(struct outlet *o)
{
	fd_close(&o->fd);
	str_fini(&o->text);
}

static int fail(const struct outlet *o, struct err *err)
{
	if (errno != EAGAIN)
		return err_sys(err, errno, "cannot write to %s", kinds[o->to].who);
	atomic_store(&stuck[o->to], true);
	return err_set(err, EAGAIN, "%s takes nothing", kinds[o->to].who);
}

/* 0: it went; 1: again; -1 and errno. */
static int try_to_send(struct outlet *o, int patience_ms)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	if (send(o->fd, o->text.data, o->text.length, MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EINTR)
		return 1;
	if (errno == EAGAIN || errno == ENOBUFS) {
		errno = EAGAIN;
		return !atomic_load(&stuck[o->to]) && poll(&p, 1, patience_ms) > 0 ? 1 : -1;
	}
	return -1;
}

/* Who is started again has another socket at the same address. */
int outlet_send(struct outlet *o, const struct entry *e, int patience_ms, struct err *err)
{
	bool anew = o->fd < 0;
	int rc;

	str_clear(&o->text);
	kinds[o->to].form(e, &o->text);
	for (;;) {
		if (outlet_open(o, err) < 0)
			return -1;
		while ((rc = try_to_send(o, patience_ms)) > 0)
			;
		if (rc == 0)
			break;
		if (errno == EAGAIN || anew)
			return fail(o, err);
		fd_close(&o->fd);
		anew = true;
	}
	atomic_store(&stuck[o->to], false);
	return 0;
}

int outlet_write(struct outlet *o, const struct entry *like, const char *bytes, size_t count,
		 size_t *ret_done, struct err *err)
{
	*ret_done = 0;
	while (*ret_done < count) {
		const char *line = bytes + *ret_done;
		size_t length = lines_piece(line, count - *ret_done, true);
		struct entry e = *like;

		e.text = line;
		e.length = length - (line[length - 1] == '\n');
		entry_take_level(&e);
		if (outlet_send(o, &e, PATIENCE_MS, err) < 0)
			return -1;
		*ret_done += length;
	}
	return 0;
}
