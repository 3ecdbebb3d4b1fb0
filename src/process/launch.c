#include "process/launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/str.h"
#include "config/expand.h"
#include "platform/intercept.h"
#include "process/way.h"
#include "process/wire.h"
#include "process/env.h"

/* NAME or NAME:N → the position among the worker's sockets, -1: none such. */
static int find_held(const struct launch_spec *spec, const char *name)
{
	const char *colon = strrchr(name, ':');
	size_t length = colon ? (size_t)(colon - name) : strlen(name);
	unsigned long index = colon ? strtoul(colon + 1, NULL, 10) : 0;

	for (size_t i = 0; i < spec->held_count; i++) {
		const char *section = spec->held[i]->settings->name;

		if (strlen(section) == length && strncmp(section, name, length) == 0 &&
		    spec->held[i]->index == index)
			return (int)i;
	}
	return -1;
}

static int add_fd(struct launch_names *n, const struct held *h, int position, struct str *out)
{
	(void)h;
	n->used_fd = true;
	str_addf(out, "%d", LAUNCH_FIRST_FD + position);
	return 1;
}

static int add_port(struct launch_names *n, const struct held *h, int position, struct str *out)
{
	(void)n;
	(void)position;
	str_addf(out, "%d", address_port(&h->key.address));
	return 1;
}

static int add_address(struct launch_names *n, const struct held *h, int position,
		       struct str *out)
{
	char text[ADDRESS_TEXT_SIZE];

	(void)n;
	(void)position;
	str_add(out, address_host(&h->key.address, text));
	return 1;
}

static const struct {
	const char *prefix;
	int (*add)(struct launch_names *n, const struct held *h, int position, struct str *out);
} of_sockets[] = {
	{ "fd:", add_fd },
	{ "port:", add_port },
	{ "address:", add_address },
};

static int late_name(const char *name, void *ctx, struct str *out, struct err *err)
{
	struct launch_names *n = ctx;
	const struct {
		const char *name;
		unsigned value;
	} numbers[] = {
		{ "worker", n->spec->index },
		{ "slot", n->spec->slot },
		{ "generation", n->spec->generation },
	};

	for (size_t i = 0; i < COUNT(numbers); i++)
		if (strcmp(name, numbers[i].name) == 0) {
			str_addf(out, "%u", numbers[i].value);
			return 1;
		}
	for (size_t i = 0; i < COUNT(of_sockets); i++) {
		size_t length = strlen(of_sockets[i].prefix);
		int position;

		if (strncmp(name, of_sockets[i].prefix, length) != 0)
			continue;
		position = find_held(n->spec, name + length);
		if (position < 0)
			return err_set(err, 0, "${%s}: this program has no such socket", name);
		return of_sockets[i].add(n, n->spec->held[position], position, out);
	}
	return 0;
}

char *launch_expand(struct launch_names *names, const char *text, struct err *err)
{
	struct str out = { 0 };

	if (expand(text, late_name, names, false, &out, err) < 0) {
		str_fini(&out);
		return NULL;
	}
	return str_take(&out);
}

static int expand_words(struct launch_names *names, const struct text_list *words,
			struct text_list *ret, struct err *err)
{
	for (size_t i = 0; i < words->count; i++) {
		char *word = launch_expand(names, words->items[i], err);

		if (!word)
			return -1;
		text_list_add_owned(ret, word);
	}
	return 0;
}

static bool can_run(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* As execvp(3) looks for it, but before the fork: then "not found" is said without
 * a process. */
static char *find_command(const char *word, const char *search, struct err *err)
{
	const char *at = search ? search : "/usr/local/bin:/usr/bin:/bin";

	if (strchr(word, '/'))
		return mem_text(word);
	for (const char *p = at;; p++) {
		size_t length = strcspn(p, ":");
		char *path = mem_format("%.*s/%s", (int)length, length ? p : ".", word);

		if (can_run(path))
			return path;
		free(path);
		p += length;
		if (!*p)
			break;
	}
	(void)err_set(err, ENOENT, "command \"%s\" was not found in PATH", word);
	log_info("looked for %s in %s", word, at);
	return NULL;
}

/* Without a dialect that announces them, descriptors are handed over only to a
 * command line that names them. */
static bool hands_descriptors(const struct launch_spec *spec, const struct launch_names *names)
{
	return (spec->program->handoff & HANDOFF_ANNOUNCES) || names->used_fd;
}

size_t launch_kept(const struct launch_spec *spec)
{
	const struct ready *ready = &spec->program->ready;
	size_t room = spec->kept_count;

	if (!(spec->program->handoff & HANDOFF_LISTEN_FDS))
		return 0;
	if (ready->how == READY_FD)
		room = (size_t)ready->fd - LAUNCH_FIRST_FD - spec->held_count;
	return room < spec->kept_count ? room : spec->kept_count;
}

static void lay_out_fds(const struct launch_spec *spec, const struct launch_names *names,
			struct launch *l)
{
	bool worker = !spec->command;
	size_t handed = worker && hands_descriptors(spec, names) ? spec->held_count : 0;
	size_t kept = worker ? launch_kept(spec) : 0;
	size_t count = LAUNCH_FIRST_FD + handed + kept;
	int ready = worker && spec->ready_fd >= 0 ? spec->program->ready.fd : -1;

	if (ready >= (int)count)
		count = (size_t)ready + 1;
	l->fds = mem_grow(NULL, count, sizeof(*l->fds));
	for (size_t i = 0; i < count; i++)
		l->fds[i] = SPAWN_FD_CLOSED;
	l->fds[0] = SPAWN_FD_NULL;
	if (worker && (spec->program->handoff & HANDOFF_STDIN) && spec->held_count)
		l->fds[0] = spec->held[0]->fd;
	l->fds[1] = spec->out;
	l->fds[2] = spec->err;
	for (size_t i = 0; i < handed; i++)
		l->fds[LAUNCH_FIRST_FD + i] = spec->held[i]->fd;
	for (size_t i = 0; i < kept; i++)
		l->fds[LAUNCH_FIRST_FD + handed + i] = spec->kept[i].fd;
	if (ready >= 0)
		l->fds[ready] = spec->ready_fd;
	l->spawn.fds = l->fds;
	l->spawn.fd_count = count;
}

/* nginx makes non-blocking only what it bound itself.  Of two processes that
 * wake for one connection the loser would sleep in accept(2), deaf to QUIT. */
static void unblock_for_nginx(const struct launch_spec *spec)
{
	if (!(spec->program->handoff & HANDOFF_NGINX))
		return;
	for (size_t i = 0; i < spec->held_count; i++)
		if (spec->held[i]->settings->non_blocking == CHOICE_AUTO)
			(void)fd_non_blocking(spec->held[i]->fd, 1);
}

void launch_identify(const struct program_settings *p, struct spawn *s)
{
	s->set_user = p->set_user;
	s->uid = p->uid;
	s->set_group = p->set_group;
	s->gid = p->gid;
	s->groups = p->groups;
	s->group_count = p->group_count;
}

static void copy_traits(const struct program_settings *p, struct launch *l)
{
	l->spawn.set_umask = p->umask != TUNE_UNSET;
	l->spawn.umask = (mode_t)(p->umask != TUNE_UNSET ? p->umask : 0);
	l->limits = mem_grow(NULL, p->limit_count, sizeof(*l->limits));
	for (size_t i = 0; i < p->limit_count; i++)
		l->limits[i] = (struct spawn_limit){ .resource = p->limits[i].resource,
						     .value = p->limits[i].value };
	l->spawn.limits = l->limits;
	l->spawn.limit_count = p->limit_count;
	l->spawn.traits = &p->traits;
}

/* NULL: there is none. */
static char *find_executable(const struct launch_spec *spec, struct launch *l, struct err *err)
{
	struct executable *e = spec->executable;
	const char *word = l->argv.items[0];
	char *path;

	if (e && executable_only_here(e, word)) {
		l->spawn.file = &e->file->fd;
		return mem_text(e->file->path);
	}
	path = find_command(word, env_get(&l->env, "PATH"), err);
	if (path && e)
		executable_hold(e, word, path);
	return path;
}

static void add_library(const struct launch_spec *spec, struct launch *l)
{
	const char *more = env_get(&l->env, "LD_PRELOAD");

	(void)env_put(&l->env, mem_format("LD_PRELOAD=%s%s%s", way_library(),
					  more && *more ? ":" : "", more ? more : ""));
	(void)env_put(&l->env, mem_format(WIRE_VARIABLE "=%s", spec->door_path));
}

/* A path, or an abstract name: it may be as short as no address of a network. */
static bool has_name(const struct launch_spec *spec)
{
	for (size_t i = 0; i < spec->held_count; i++)
		if (spec->held[i]->key.family == AF_UNIX)
			return true;
	return false;
}

/* What no way reaches is refused before it starts. */
static int add_way(const struct launch_spec *spec, struct launch *l, struct err *err)
{
	struct err why = { 0 }, beyond = { 0 };

	switch (way_of_system(&why)) {
	case WAY_SECCOMP:
		l->spawn.filter = platform_filter(has_name(spec), err);
		return l->spawn.filter ? 0 : -1;
	case WAY_PRELOAD:
		if (way_reaches(l->place.path, &beyond) < 0)
			return err_set(err, why.code, "handoff = intercept: %s; and the preload "
				       "library is no way: %s", why.text, beyond.text);
		add_library(spec, l);
		return 0;
	case WAY_NONE:
	default:
		return err_set(err, why.code, "handoff = intercept: %s; and there is no preload "
			       "library", why.text);
	}
}

int launch_prepare(const struct launch_spec *spec, struct launch *ret, struct err *err)
{
	struct launch_names names = { .spec = spec };
	const struct program_settings *p = spec->program;
	const struct text_list *command = spec->command ? spec->command : &p->command;
	struct launch l = { 0 };

	if (expand_words(&names, command, &l.argv, err) < 0 ||
	    (p->directory && !(l.place.directory = launch_expand(&names, p->directory, err))) ||
	    env_build(spec, &names, &l.env, l.spawn.pid_digits, err) < 0 ||
	    !(l.place.path = find_executable(spec, &l, err))) {
		launch_fini(&l);
		return -1;
	}
	if (!spec->command && p->handoff & HANDOFF_INTERCEPT && add_way(spec, &l, err) < 0) {
		launch_fini(&l);
		return -1;
	}
	l.spawn.path = l.place.path;
	l.spawn.argv = l.argv.items;
	l.spawn.env = l.env.items;
	l.spawn.pid_digits_size = ENV_PID_SIZE;
	l.spawn.cgroup = spec->command ? NULL : spec->cgroup;
	l.spawn.directory = l.place.directory;
	lay_out_fds(spec, &names, &l);
	unblock_for_nginx(spec);
	launch_identify(p, &l.spawn);
	copy_traits(p, &l);
	*ret = l;
	return 0;
}

void launch_put(struct launch *l, const char *item)
{
	text_list_add(&l->env, item);
	l->spawn.env = l->env.items;
}

void launch_place_fini(struct launch_place *p)
{
	free(p->path);
	free(p->directory);
	*p = (struct launch_place){ 0 };
}

void launch_fini(struct launch *l)
{
	text_list_fini(&l->argv);
	text_list_fini(&l->env);
	free(l->limits);
	free(l->fds);
	launch_place_fini(&l->place);
	*l = (struct launch){ 0 };
}

struct launch_place launch_forked(struct launch *l)
{
	struct launch_place place = l->place;

	l->place = (struct launch_place){ 0 };
	launch_fini(l);
	return place;
}

/* The interpreter that a script's first line names, or NULL.  The caller frees it. */
static char *interpreter(const char *path)
{
	char line[256] = "";
	FILE *script = fopen(path, "re");
	size_t length;
	char *start = line + 2;

	if (!script)
		return NULL;
	(void)!fgets(line, sizeof(line), script);
	(void)fclose(script);
	if (strncmp(line, "#!", 2) != 0)
		return NULL;
	start += strspn(start, " \t");
	length = strcspn(start, " \t\n");
	return length ? mem_text_n(start, length) : NULL;
}

static int explain_exec(const char *path, int why, struct err *err)
{
	char *needs = interpreter(path);
	int rc;

	if (why == ENOENT && access(path, F_OK) < 0)
		rc = err_set(err, why, "%s: no such file", path);
	else if (why == ENOENT && needs)
		rc = err_set(err, why, "%s: its first line asks for the interpreter \"%s\", "
				       "which is not there", path, needs);
	else if (why == ENOENT)
		rc = err_set(err, why, "%s: the loader it was linked for is not on this system",
			     path);
	else if (why == EACCES)
		rc = err_set(err, why, "%s: not executable for this user (or a directory, or on "
				       "a file system mounted noexec)", path);
	else if (why == ENOEXEC)
		rc = err_set(err, why, "%s: not a program (a script needs a first line like "
				       "\"#!/bin/sh\")", path);
	else
		rc = err_sys(err, why, "%s", path);
	free(needs);
	return rc;
}

void launch_explain(const struct launch_place *l, const struct program_settings *p, int why,
		    const char *step, struct err *err)
{
	if (strcmp(step, "exec") == 0)
		(void)explain_exec(l->path, why, err);
	else if (strcmp(step, "directory") == 0)
		(void)err_sys(err, why, "directory %s", l->directory);
	else if (strcmp(step, "handoff = intercept") == 0)
		(void)err_sys(err, why, "handoff = intercept: the system refuses the filter%s",
			      why == EBUSY ? ", for another one that reports is there already "
					     "(of a container, or of another supervisor)" : "");
	else if (strcmp(step, "user and group") == 0)
		(void)err_sys(err, why, "cannot become user %s, group %s",
			      p->user ? p->user : "(as ours)", p->group ? p->group : "(as ours)");
	else
		(void)err_sys(err, why, "%s: cannot be set for the new process", step);
}
