/* A program beside its sockets. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/expand.h"
#include "config/nearest.h"
#include "config/option.h"
#include "config/quantity.h"
#include "config/understand.h"

#define FIRST_FD 3

/* What the checks of one program have in hand. */
struct check {
	const struct settings *settings;
	const struct section *section;
	const struct program_settings *program;
	struct faults *faults;
};

#define FAULT(c, key, ...)                                               \
	faults_add((c)->faults, (c)->section->place.file,                \
		   section_line_of((c)->section, key), key ": " __VA_ARGS__)

static void no_such_socket(const struct check *c, const char *name)
{
	struct text_list known = { 0 };
	char hint[NEAREST_SIZE];

	for (size_t i = 0; i < c->settings->socket_count; i++)
		text_list_add(&known, c->settings->sockets[i]->name);
	FAULT(c, "sockets", "there is no [socket:%.80s]%s", name,
	      nearest_hint(name, &known, hint));
	text_list_fini(&known);
}

static void check_sockets(const struct check *c)
{
	const struct text_list *names = &c->program->sockets;
	struct text_list seen = { 0 };

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];

		if (!settings_socket(c->settings, name))
			no_such_socket(c, name);
		else if (text_list_has(&seen, name))
			FAULT(c, "sockets", "\"%s\" is named twice; once is enough", name);
		text_list_add(&seen, name);
	}
	text_list_fini(&seen);
}

/* Programs are checked in their order: the first that names a socket has it. */
static void note_user(const struct settings *s, const struct program_settings *p)
{
	for (size_t i = 0; i < s->socket_count; i++)
		if (!s->sockets[i]->user && text_list_has(&p->sockets, s->sockets[i]->name))
			s->sockets[i]->user = p;
}

/* The slots of a group are counted by the workers of one program. */
static void check_groups(const struct check *c)
{
	const struct text_list *names = &c->program->sockets;

	for (size_t i = 0; i < names->count; i++) {
		const struct socket_settings *k = settings_socket(c->settings, names->items[i]);

		if (k && k->reuse_port && k->user != c->program)
			FAULT(c, "sockets", "[socket:%s] has reuse_port = yes, one socket for each "
			      "worker of [program:%s]; another program needs one of its own",
			      k->name, k->user->name);
	}
}

static void note_uid(const struct settings *s, const struct program_settings *p)
{
	for (size_t i = 0; i < s->socket_count; i++)
		if (s->sockets[i]->user == p)
			s->sockets[i]->worker_uid = p->set_user ? p->uid : (uid_t)-1;
}

static size_t count_descriptors(const struct check *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->program->sockets.count; i++) {
		const struct socket_settings *k =
			settings_socket(c->settings, c->program->sockets.items[i]);

		count += k ? k->address_count : 0;
	}
	return count;
}

static bool has_tcp(const struct socket_settings *k)
{
	for (size_t i = 0; i < k->address_count; i++)
		if (k->type == SOCK_STREAM && address_port(&k->addresses[i]) >= 0)
			return true;
	return false;
}

static void check_log(const struct check *c)
{
	const struct program_settings *p = c->program;

	if ((p->out.how == OUTPUT_LOG || p->err.how == OUTPUT_LOG) && !p->log_file)
		FAULT(c, "log_file", "stdout or stderr = log needs one, such as "
		      "log_file = /var/log/%s.log", p->name);
}

/* A connection that says nothing is what ready = tcp offers, and http begins with;
 * with TCP_DEFER_ACCEPT the kernel would keep it from the worker. */
static void check_ready_tcp(const struct check *c, const char *form)
{
	const struct text_list *names = &c->program->sockets;
	bool any = false;

	for (size_t i = 0; i < names->count; i++) {
		const struct socket_settings *k = settings_socket(c->settings, names->items[i]);

		if (!k)
			return;
		if (!has_tcp(k))
			continue;
		any = true;
		if (k->defer_accept > 0)
			FAULT(c, "ready",
			      "%s cannot prove a worker of [socket:%s], whose "
			      "defer_accept hides silent connections; leave that out, or use "
			      "notify",
			      form, k->name);
	}
	if (!any)
		FAULT(c, "ready", "%s needs a TCP socket among the program's sockets", form);
}

/* Each php-fpm that ends would take the path of the others with it. */
static void check_php_fpm(const struct check *c)
{
	const struct text_list *names = &c->program->sockets;

	for (size_t i = 0; i < names->count; i++) {
		const struct socket_settings *k = settings_socket(c->settings, names->items[i]);

		for (size_t j = 0; k && j < k->address_count; j++)
			if (address_port(&k->addresses[j]) < 0) {
				FAULT(c, "handoff", "php-fpm removes the path of a unix socket when it "
				      "ends, also while another one serves it: give [socket:%s] a "
				      "TCP address", k->name);
				return;
			}
	}
}

static void check_intercept(const struct check *c)
{
	if (!c->program->sockets.count)
		FAULT(c, "handoff", "intercept needs to know what the program may bind; name its "
		      "addresses with sockets = NAME");
}

static void check_handoff(const struct check *c)
{
	unsigned handoff = c->program->handoff;

	if (handoff & HANDOFF_STDIN && !c->program->sockets.count)
		FAULT(c, "handoff", "stdin needs a socket; name one with sockets = NAME");
	if (handoff & HANDOFF_PHP_FPM)
		check_php_fpm(c);
	if (handoff & HANDOFF_INTERCEPT)
		check_intercept(c);
}

static bool has_stream(const struct check *c, bool (*fits)(const struct socket_settings *k))
{
	const struct text_list *names = &c->program->sockets;

	for (size_t i = 0; i < names->count; i++) {
		const struct socket_settings *k = settings_socket(c->settings, names->items[i]);

		if (!k || fits(k))
			return true;
	}
	return false;
}

static bool is_stream(const struct socket_settings *k)
{
	return k->type == SOCK_STREAM;
}

static void check_health(const struct check *c)
{
	const struct ready *health = &c->program->health;

	if (health->how == READY_TCP && !has_stream(c, has_tcp))
		FAULT(c, "health", "tcp needs a TCP socket among the program's sockets");
	if (health->how == READY_HTTP && strncmp(health->words.items[0], "//", 2) != 0 &&
	    !has_stream(c, is_stream))
		FAULT(c, "health", "http:PATH needs a stream socket among the program's sockets; "
		      "without one, name an address: http://ADDRESS/PATH");
}

static void check_ready(const struct check *c)
{
	size_t count = count_descriptors(c);
	const struct ready *ready = &c->program->ready;

	if (ready->how == READY_TCP)
		check_ready_tcp(c, "tcp");
	if (ready->how == READY_HTTP && strncmp(ready->words.items[0], "//", 2) != 0)
		check_ready_tcp(c, "http:PATH");
	if (ready->how == READY_LISTEN && !(c->program->handoff & HANDOFF_INTERCEPT))
		FAULT(c, "ready", "listen(2) of a program is seen only with handoff = intercept; use "
		      "tcp, or auto");
	if (ready->how == READY_FD && ready->fd < FIRST_FD + (int)count)
		FAULT(c, "ready", "descriptor %d is one of the program's sockets (%d to %d); the "
		      "first free one is fd:%d",
		      ready->fd, FIRST_FD, FIRST_FD + (int)count - 1, FIRST_FD + (int)count);
}

/* ${fd:SOCKET:N}, ${port:…}, ${address:…}: looked at now, so that a worker's
 * start has nothing left to find out. */
static int check_socket_name(const struct check *c, const char *kind, const char *name,
			     const char *index, struct err *err)
{
	const struct socket_settings *k = settings_socket(c->settings, name);
	int64_t n = 0;

	if (!text_list_has(&c->program->sockets, name))
		return err_set(err, 0, "${%s:%s}: \"%s\" is not among the program's sockets", kind,
			       name, name);
	if (index && number_parse(index, &n, err) < 0)
		return err_in(err, "${%s:%s:%s}", kind, name, index);
	if (!k)
		return 1;	/* said by check_sockets() */
	if (n < 0 || (size_t)n >= k->address_count)
		return err_set(err, 0,
			       "${%s:%s:%lld}: [socket:%s] has %zu address%s, counted from 0", kind,
			       name, (long long)n, name, k->address_count,
			       k->address_count == 1 ? "" : "es");
	if (strcmp(kind, "fd") == 0 && c->program->handoff & HANDOFF_INTERCEPT)
		return err_set(err, 0, "${fd:%s}: with handoff = intercept a program is given no "
				       "descriptor; use ${port:%s}", name, name);
	if (strcmp(kind, "port") == 0 && address_port(&k->addresses[n]) < 0)
		return err_set(err, 0, "${port:%s}: a unix socket has no port; use ${address:%s}",
			       name, name);
	return 1;
}

static int late_name(const char *text, void *ctx, struct str *out, struct err *err)
{
	char *kind = mem_text(text), *name = strchr(kind, ':'), *index = NULL;
	int rc = 1;

	(void)out;
	if (name) {
		*name++ = '\0';
		index = strchr(name, ':');
	}
	if (index)
		*index++ = '\0';
	if (name)
		rc = check_socket_name(ctx, kind, name, index, err);
	free(kind);
	return rc;
}

static void check_late(const struct check *c, const char *key, const char *text)
{
	struct check own = *c;
	struct str out = { 0 };
	struct err err;

	if (text && expand(text, late_name, &own, false, &out, &err) < 0)
		faults_add(c->faults, c->section->place.file, section_line_of(c->section, key),
			   "%s: %s", key, err.text);
	str_fini(&out);
}

static void check_expansions(const struct check *c)
{
	const struct program_settings *p = c->program;

	for (size_t i = 0; i < p->command.count; i++)
		check_late(c, "command", p->command.items[i]);
	for (size_t i = 0; i < p->environment.count; i++)
		check_late(c, "environment", p->environment.items[i]);
	for (size_t i = 0; i < p->ready.words.count; i++)
		check_late(c, "ready", p->ready.words.items[i]);
	for (size_t i = 0; i < p->health.words.count; i++)
		check_late(c, "health", p->health.words.items[i]);
	check_late(c, "directory", p->directory);
	check_late(c, "pid_file", p->pid_file);
	check_late(c, "stdout", p->out.file);
	check_late(c, "stderr", p->err.file);
	check_late(c, "log_file", p->log_file);
}

static void check_start(const struct check *c)
{
	if (c->program->start != START_ON_DEMAND)
		return;
	if (!c->program->sockets.count)
		FAULT(c, "start", "on-demand needs a socket that somebody can come to; name one with "
		      "sockets = NAME");
	else if (c->program->handoff & HANDOFF_INTERCEPT)
		FAULT(c, "start", "on-demand is not for handoff = intercept: before the program has "
		      "bound its address nobody can come to it");
}

void check_program(struct settings *s, const struct section *section, struct faults *faults)
{
	struct program_settings *p = section->object;
	const struct check c = { s, section, p, faults };

	check_sockets(&c);
	note_user(s, p);
	check_groups(&c);
	check_expansions(&c);
	check_ready(&c);
	check_health(&c);
	check_handoff(&c);
	check_start(&c);
	check_log(&c);
	if (p->restart_delay > p->restart_delay_max)
		FAULT(&c, "restart_delay", "it is longer than restart_delay_max");
	accounts_of_program(p, section, faults);
	note_uid(s, p);
}
