#include "process/cgroups.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "platform/cgroup.h"

enum { AGAIN_MS = 10, AGAIN_MOST_MS = 1000, LOOKS_MOST = 40, END_MS = 1000 };

struct dying {
	struct list node;
	char *name;
	bool kill;
	unsigned looks;
};

void cgroups_start(struct cgroups *c, struct loop *loop, const char *how, pid_t keeper)
{
	*c = (struct cgroups){ .loop = loop, .base = -1 };
	list_init(&c->dying);
	if (strcmp(how, "none") == 0) {
		(void)err_set(&c->why, 0, "cgroup = none");
		return;
	}
	c->base = platform_cgroup_open(strcmp(how, "auto") == 0 ? NULL : how, keeper, &c->why);
	if (c->base < 0 && strcmp(how, "auto") != 0)
		log_warning("cgroup: %s; generations have none", c->why.text);
}

/* "web.3" */
static bool is_group(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1);
}

void cgroups_tidy(struct cgroups *c)
{
	DIR *all = c->base >= 0 ? fdopendir(dup(c->base)) : NULL;
	struct dirent *e;

	if (!all)
		return;
	rewinddir(all);
	while ((e = readdir(all)))
		if (is_group(e->d_name) && platform_cgroup_remove(c->base, e->d_name) == 0)
			log_info("cgroup %s was left behind, and is removed", e->d_name);
	(void)closedir(all);
}

static void forget(struct dying *d)
{
	list_remove(&d->node);
	free(d->name);
	free(d);
}

/* False: it is gone, or stays. */
static bool look(struct cgroups *c, struct dying *d)
{
	if (platform_cgroup_remove(c->base, d->name) == 0 || errno == ENOENT)
		return false;
	if (!d->kill || d->looks++ >= LOOKS_MOST) {
		log_warning("the cgroup %s is not empty, and stays", d->name);
		return false;
	}
	(void)platform_cgroup_kill(c->base, d->name);
	return true;
}

static bool look_at_all(struct cgroups *c)
{
	list_each_safe(d, &c->dying, struct dying, node)
		if (!look(c, d))
			forget(d);
	return !list_empty(&c->dying);
}

static int64_t pause_of(const struct cgroups *c)
{
	int64_t pause = AGAIN_MOST_MS;

	list_each(d, &c->dying, struct dying, node) {
		int64_t own = AGAIN_MS << (d->looks < 7 ? d->looks : 7);

		pause = own < pause ? own : pause;
	}
	return pause;
}

static void on_again(struct loop_timer *t)
{
	struct cgroups *c = OWNER(t, struct cgroups, again);

	if (look_at_all(c))
		loop_timer_start(c->loop, t, pause_of(c), on_again);
}

void cgroups_stop(struct cgroups *c)
{
	int64_t until = clock_monotonic_ms() + END_MS;

	loop_timer_stop(&c->again);
	while (c->base >= 0 && look_at_all(c) && clock_monotonic_ms() < until)
		(void)poll(NULL, 0, AGAIN_MS);
	list_each_safe(d, &c->dying, struct dying, node)
		forget(d);
	fd_close(&c->base);
}

/* Grouping alone falls back. */
static int without(const struct program_settings *s, const char *name, struct err *err)
{
	const char *limit = platform_cgroup_limit(&s->limits_of_group);

	if (limit)
		return -1;
	log_notice("%s: has no cgroup: %s", name, err->text);
	return 0;
}

/* An empty one may have been taken away (cgroups_tidy). */
static int open_door(const struct cgroups *c, const char *name, const struct program_settings *s,
		     bool *grouped, struct err *err)
{
	int door = *grouped ? platform_cgroup_door(c->base, name) : -1;

	if (door >= 0)
		return door;
	if (platform_cgroup_make(c->base, name, &s->limits_of_group, err) < 0)
		return -1;
	*grouped = true;
	door = platform_cgroup_door(c->base, name);
	return door >= 0 ? door : err_sys(err, errno, "the cgroup %s cannot be joined", name);
}

int cgroups_enter(struct cgroups *c, const char *name, const struct program_settings *s,
		  bool *grouped, int *ret_door, struct err *err)
{
	const char *limit = platform_cgroup_limit(&s->limits_of_group);

	*ret_door = -1;
	if (!c || c->base < 0)
		return limit ? err_set(err, 0, "%s: there is no cgroup to set it in: %s", limit,
				       c ? c->why.text : "this supervisor has none") : 0;
	*ret_door = open_door(c, name, s, grouped, err);
	return *ret_door >= 0 ? 0 : without(s, name, err);
}

void cgroups_leave(struct cgroups *c, const char *name, bool kill)
{
	struct dying *d;

	if (!c || c->base < 0)
		return;
	d = MEM_NEW(struct dying);
	d->name = mem_text(name);
	d->kill = kill;
	list_append(&c->dying, &d->node);
	if (look(c, d))
		loop_timer_start(c->loop, &c->again, pause_of(c), on_again);
	else
		forget(d);
}
