#include "rollout/hint.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "rollout/generation.h"
#include "rollout/program.h"

static bool hands_listen_fds(const struct member *m)
{
	return m->means->held_count && m->means->program->handoff & HANDOFF_LISTEN_FDS;
}

/* LISTEN_PID is right for the wrapper and wrong for the server below it, which
 * then takes no socket.  A server's own children, forked, run what it runs. */
void hint_at_wrapper(struct member *m)
{
	struct program *p = m->generation->program;
	char *item;

	if (p->hinted || !hands_listen_fds(m))
		return;
	item = mem_format("LISTEN_PID=%ld", (long)m->worker.pid);
	if (platform_below_started_with(m->worker.pid, item, NULL) > 0) {
		p->hinted = true;
		log_warning("%s: a process below the worker has the worker's LISTEN_PID: if that is "
			    "the server, it does not take its sockets; start it with exec, or with "
			    "holdport-listen-pid (docs/handoff.md)", m->name);
	}
	free(item);
}

/* What servers print when bind(2) says EADDRINUSE. */
static bool says_in_use(const struct text_list *lines)
{
	static const char *const words[] = { "address already in use", "EADDRINUSE",
					     "address in use" };

	for (size_t i = 0; i < lines->count; i++)
		for (size_t k = 0; k < COUNT(words); k++)
			if (strcasestr(lines->items[i], words[k]))
				return true;
	return false;
}

/* A script, or a shell that is given one. */
static bool is_wrapped(const struct member *m)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ash", "ksh", "zsh" };
	const struct executable_file *e = m->means->executable.file;
	const char *slash = e ? strrchr(e->word, '/') : NULL;
	const char *name = slash ? slash + 1 : e ? e->word : NULL;

	for (size_t i = 0; name && i < COUNT(shells); i++)
		if (strcmp(name, shells[i]) == 0)
			return true;
	return e && e->fd < 0;
}

void hint_at_binding(const struct member *m, const struct text_list *lines, struct str *text)
{
	if (!m->means->held_count || !says_in_use(lines))
		return;
	if (m->means->program->handoff & HANDOFF_INTERCEPT) {
		str_add(text, "; if it means an address of its sockets: what it binds is not what "
			      "they permit, and the log says why (docs/intercept.md)");
		return;
	}
	str_add(text, "; if it means an address of its sockets: this program binds for itself, and "
		      "holdport holds that address: let it take the socket it is given (handoff, "
		      "docs/handoff.md), or set handoff = intercept");
	if (hands_listen_fds(m) && is_wrapped(m))
		str_add(text, "; behind a shell it takes none unless it is started with exec, or "
			      "with holdport-listen-pid");
}
