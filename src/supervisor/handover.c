#include "supervisor/handover.h"

#include <errno.h>
#include <poll.h>
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
#include "keeper/bequest.h"
#include "platform/platform.h"
#include "supervisor/heir.h"
#include "supervisor/runtime_dir.h"
#include "supervisor/supervisor.h"

enum { BACKLOG = 4, ASKERS_MOST = 8, ANSWER_MS = 5000, ASK_AGAIN_MS = 20, BECOMES_WITHIN_MS = 5000 };

/* The next message: the word that was awaited? */
static bool hear(int fd, uint32_t word, struct channel_message *ret, int *ret_fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int got = 0;

	while (got == 0 && poll(&p, 1, ANSWER_MS) > 0)
		got = channel_receive(fd, ret, ret_fd);
	return got > 0 && ret->word == word;
}

static bool hear_plain(int fd, uint32_t word, struct channel_message *ret)
{
	int none = -1;
	bool heard = hear(fd, word, ret, &none);

	fd_drop(&none);
	return heard;
}

static bool may_ask(int fd)
{
	uid_t user;

	return platform_peer_user(fd, &user) == 0 && (user == 0 || user == geteuid());
}

static bool may_have(const struct supervisor *s, const char *file)
{
	return s->state == MANAGER_RUNNING && !upgrade_under_way(&s->upgrade) && s->file &&
	       strcmp(s->file, file) == 0;
}

static int give(int number, int fd, const char *what, void *ctx)
{
	return channel_send(*(int *)ctx, CHANNEL_GIVE, number, 0, what, fd);
}

/* From its TAKEN on nothing is ours, and nothing of it may be touched. */
static bool give_everything(struct supervisor *s, int fd)
{
	struct channel_message m;

	return bequest_each(&s->memory.custody, give, &fd) == 0 &&
	       channel_send(fd, CHANNEL_GIVEN, 1, 0, NULL, -1) == 0 &&
	       hear_plain(fd, CHANNEL_TAKEN, &m) &&
	       channel_send(fd, CHANNEL_LEAVING, 0, 0, NULL, -1) == 0;
}

static _Noreturn void leave(struct supervisor *s)
{
	log_notice("another supervisor was started in place of the one that was killed; it takes "
		   "everything over");
	(void)unlink(s->handover.path);
	link_say(&s->link, CHANNEL_LEAVING, 0, NULL, -1);
	_exit(EXIT_ORDERLY);
}

static void hand_over(struct supervisor *s, int fd)
{
	supervisor_write_down(s);
	if (give_everything(s, fd))
		leave(s);
	log_warning("another supervisor asked for everything, and did not take it");
}

static void asker_free(struct asker *a)
{
	loop_io_stop(&a->io);
	loop_timer_stop(&a->patience);
	list_remove(&a->node);
	a->supervisor->handover.asker_count--;
	fd_close(&a->fd);
	free(a);
}

static void on_word(struct loop_io *io, int events)
{
	struct asker *a = OWNER(io, struct asker, io);
	struct channel_message m;
	int none = -1, got = channel_receive(a->fd, &m, &none);

	(void)events;
	fd_drop(&none);
	if (got == 0)
		return;
	if (got > 0 && m.word == CHANNEL_TAKE && may_have(a->supervisor, m.text))
		hand_over(a->supervisor, a->fd);
	asker_free(a);
}

static void on_silence(struct loop_timer *t)
{
	asker_free(OWNER(t, struct asker, patience));
}

static void asker_new(struct supervisor *s, int *fd)
{
	struct asker *a = MEM_NEW(struct asker);

	a->supervisor = s;
	a->fd = fd_take(fd);
	list_append(&s->handover.askers, &a->node);
	s->handover.asker_count++;
	loop_io_start(s->loop, &a->io, a->fd, LOOP_READ, on_word);
	loop_timer_start(s->loop, &a->patience, ANSWER_MS, on_silence);
}

/* Whoever says nothing is not waited for. */
static void on_asked(struct loop_io *io, int events)
{
	struct supervisor *s = OWNER(io, struct supervisor, handover.io);
	int fd = accept4(s->handover.fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	if (fd >= 0 && may_ask(fd) && s->handover.asker_count < ASKERS_MOST)
		asker_new(s, &fd);
	fd_close(&fd);
}

/* The lock names us when whoever reads it can ask us. */
int handover_start(struct supervisor *s, struct err *err)
{
	struct handover *h = &s->handover;

	*h = (struct handover){ .fd = -1 };
	list_init(&h->askers);
	h->path = mem_format("%s/handover", s->settings->supervisor.runtime_dir);
	if (!s->memory.custody.orphaned) {
		(void)unlink(h->path);
		return 0;
	}
	h->fd = platform_own_socket(h->path, SOCK_SEQPACKET, 0600, err);
	if (h->fd >= 0 && listen(h->fd, BACKLOG) == 0)
		loop_io_start(s->loop, &h->io, h->fd, LOOP_READ, on_asked);
	else
		log_error("nobody can take this supervisor over: %s", err->text);
	return runtime_dir_sign(s->lock, link_face(&s->link), err);
}

void handover_stop(struct supervisor *s)
{
	list_each_safe(a, &s->handover.askers, struct asker, node)
		asker_free(a);
	loop_io_stop(&s->handover.io);
	if (s->handover.fd >= 0)
		(void)unlink(s->handover.path);
	fd_close(&s->handover.fd);
	free(s->handover.path);
	s->handover.path = NULL;
}

static int connect_to(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = -1;

	if (strlen(path) < sizeof(sa.sun_path))
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	memcpy(sa.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || !may_ask(fd))
		fd_close(&fd);
	return fd;
}

/* One whose keeper was killed just now is about to become an orphan. */
static int reach(const char *path, const char *dir)
{
	int64_t until = clock_monotonic_ms() + BECOMES_WITHIN_MS;
	int fd;

	while ((fd = connect_to(path)) < 0 && !runtime_dir_is_signed(dir) &&
	       clock_monotonic_ms() < until)
		(void)poll(NULL, 0, ASK_AGAIN_MS);
	return fd >= 0 ? fd : connect_to(path);
}

static bool take_everything(struct supervisor *s, int fd)
{
	struct custody *c = &s->memory.custody;
	struct channel_message m = { .word = 0 };
	int given = -1;

	while (hear(fd, CHANNEL_GIVE, &m, &given))
		if (given < 0) {
			log_error("the orphaned supervisor keeps what it has: not every descriptor "
				  "of it came, for there is no room (open files, RLIMIT_NOFILE)");
			return false;
		} else if (m.number > 0 && m.number < CUSTODY_MOST)
			custody_take(c, (unsigned)m.number, m.text, &given);
		else
			fd_drop(&given);
	fd_drop(&given);
	return m.word == CHANNEL_GIVEN && channel_send(fd, CHANNEL_TAKEN, 0, 0, NULL, -1) == 0 &&
	       hear_plain(fd, CHANNEL_LEAVING, &m);
}

static void await_end(int fd)
{
	struct channel_message m;

	(void)hear_plain(fd, CHANNEL_LEAVING, &m);	/* it hangs up */
}

int handover_ask(struct supervisor *s, const char *dir)
{
	char *path = mem_format("%s/handover", dir);
	int fd = s->file ? reach(path, dir) : -1, rc = -1;

	if (fd >= 0 && channel_send(fd, CHANNEL_TAKE, 0, 0, s->file, -1) == 0 &&
	    take_everything(s, fd)) {
		await_end(fd);
		custody_tell(&s->memory.custody);
		rc = 0;
	}
	fd_close(&fd);
	free(path);
	return rc;
}
