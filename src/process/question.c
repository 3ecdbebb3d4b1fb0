#include "process/question.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/beside.h"

#define ASKER "holdport-http"

enum { ASKER_FD = STDERR_FILENO + 1 };

static const struct traits plain = { .nice = TRAIT_UNSET, .oom_score_adj = TRAIT_UNSET,
				     .no_new_privileges = true };

static void add_words(const struct question *q, const char *path, struct text_list *argv)
{
	text_list_add(argv, path);
	text_list_add(argv, q->url);
	text_list_add_owned(argv, mem_format("%lld", (long long)q->patience));
	if (q->fd >= 0)
		text_list_add_owned(argv, mem_format("%d", ASKER_FD));
	else if (q->via)
		text_list_add(argv, q->via);
}

static void lay_out_fds(const struct question *q, struct launch *l)
{
	size_t count = q->fd >= 0 ? ASKER_FD + 1 : ASKER_FD;

	l->fds = mem_grow(NULL, count, sizeof(*l->fds));
	l->fds[STDIN_FILENO] = l->fds[STDERR_FILENO] = SPAWN_FD_NULL;
	l->fds[STDOUT_FILENO] = q->said;
	if (q->fd >= 0)
		l->fds[ASKER_FD] = q->fd;
	l->spawn.fds = l->fds;
	l->spawn.fd_count = count;
}

int question_prepare(const struct question *q, struct launch *ret, struct err *err)
{
	struct launch l = { .place.path = beside(ASKER), .place.directory = mem_text("/") };

	if (!l.place.path) {
		launch_fini(&l);
		return err_set(err, ENOENT, ASKER ", which asks over HTTP, is neither beside holdportd "
				    "nor in " HOLDPORT_LIBDIR);
	}
	add_words(q, l.place.path, &l.argv);
	text_list_add(&l.env, "LC_ALL=C");
	launch_identify(q->program, &l.spawn);
	lay_out_fds(q, &l);
	l.spawn.traits = &plain;
	l.spawn.path = l.place.path;
	l.spawn.directory = l.place.directory;
	l.spawn.argv = l.argv.items;
	l.spawn.env = l.env.items;
	*ret = l;
	return 0;
}
