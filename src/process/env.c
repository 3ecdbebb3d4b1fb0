#include "process/env.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/owner.h"
#include "base/str.h"

/* What was said to us, about our own sockets and our own supervisor, is not
 * for a worker.  A name that ends in _ stands for all that begin so. */
static const char *const not_inherited[] = {
	"LISTEN_", "NOTIFY_SOCKET", "WATCHDOG_", "FDSTORE", "SERVER_STARTER_", "EINHORN_",
	"HOLDPORT", "HOLDPORT_", "NGINX", "FPM_SOCKETS", "FPM_SOCKETS_",
	"INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "RUNTIME_DIRECTORY",
};

static bool starts_with(const char *text, const char *prefix, size_t length)
{
	return strncmp(text, prefix, length) == 0;
}

static bool is_ours(const char *item)
{
	size_t name = strcspn(item, "=");

	for (size_t i = 0; i < COUNT(not_inherited); i++) {
		size_t length = strlen(not_inherited[i]);
		bool prefix = not_inherited[i][length - 1] == '_';

		if ((prefix ? name >= length : name == length) &&
		    starts_with(item, not_inherited[i], length))
			return true;
	}
	return false;
}

char *env_put(struct text_list *env, char *item)
{
	size_t name = strcspn(item, "=") + 1;

	for (size_t i = 0; i < env->count; i++)
		if (starts_with(env->items[i], item, name)) {
			free(env->items[i]);
			env->items[i] = item;
			return item;
		}
	text_list_add_owned(env, item);
	return item;
}

const char *env_get(const struct text_list *env, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < env->count; i++)
		if (starts_with(env->items[i], name, length) && env->items[i][length] == '=')
			return env->items[i] + length + 1;
	return NULL;
}

static void inherit(struct text_list *env, bool clear)
{
	for (char **item = environ; !clear && item && *item; item++)
		if (!is_ours(*item) && strchr(*item, '='))
			text_list_add(env, *item);
	if (clear)
		(void)env_put(env, mem_text("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
					"/sbin:/bin"));
}

static int add_settings(const struct launch_spec *spec, struct launch_names *names,
			struct text_list *env, struct err *err)
{
	for (size_t i = 0; i < spec->program->environment.count; i++) {
		char *item = launch_expand(names, spec->program->environment.items[i], err);

		if (!item)
			return err_in(err, "environment");
		(void)env_put(env, item);
	}
	return 0;
}

static void add_who(const struct launch_spec *spec, struct text_list *env)
{
	(void)env_put(env, mem_text("HOLDPORT=" HOLDPORT_VERSION));
	(void)env_put(env, mem_format("HOLDPORT_PROGRAM=%s", spec->program->name));
	(void)env_put(env, mem_format("HOLDPORT_WORKER=%u", spec->index));
	(void)env_put(env, mem_format("HOLDPORT_SLOT=%u", spec->slot));
	(void)env_put(env, mem_format("HOLDPORT_GENERATION=%u", spec->generation));
	if (spec->private_dir)
		(void)env_put(env, mem_format("RUNTIME_DIRECTORY=%s", spec->private_dir));
	if (spec->notify_path)
		(void)env_put(env, mem_format("NOTIFY_SOCKET=%s", spec->notify_path));
}

/* The receiver's own pid: the child writes it after the fork. */
static char *put_pid(struct text_list *env, const char *name)
{
	size_t length = strlen(name);
	char *item = mem_new(length + ENV_PID_SIZE);

	memcpy(item, name, length);
	return env_put(env, item) + length;
}

/* sd_watchdog_enabled(3) */
static char *add_watchdog(const struct launch_spec *spec, struct text_list *env)
{
	(void)env_put(env, mem_format("WATCHDOG_USEC=%lld",
				  (long long)spec->program->watchdog * 1000));
	return put_pid(env, "WATCHDOG_PID=");
}

/* sd_listen_fds(3) */
static char *add_listen_fds(const struct launch_spec *spec, struct text_list *env)
{
	size_t kept = launch_kept(spec);
	struct str names = { 0 };

	for (size_t i = 0; i < spec->held_count; i++)
		str_addf(&names, "%s%s", i ? ":" : "", spec->held[i]->settings->name);
	for (size_t i = 0; i < kept; i++)
		str_addf(&names, "%s%s", names.length ? ":" : "", spec->kept[i].name);
	(void)env_put(env, mem_format("LISTEN_FDS=%zu", spec->held_count + kept));
	(void)env_put(env, mem_format("LISTEN_FDNAMES=%s", str_text(&names)));
	str_fini(&names);
	return put_pid(env, "LISTEN_PID=");
}

/* Server::Starter writes what was typed: a port alone where the address is any.
 * That a port is UDP's is not to be seen, there as here. */
static void add_server_starter(const struct launch_spec *spec, struct text_list *env)
{
	struct str ports = { 0 };

	for (size_t i = 0; i < spec->held_count; i++) {
		const struct address *a = &spec->held[i]->key.address;
		char text[ADDRESS_TEXT_SIZE];

		if (i)
			str_add(&ports, ";");
		if (a->sa.ss_family == AF_UNIX)
			str_add(&ports, address_host(a, text));
		else if (a->any)
			str_addf(&ports, "%d", address_port(a));
		else
			str_add(&ports, address_text(a, text));
		str_addf(&ports, "=%zu", LAUNCH_FIRST_FD + i);
	}
	(void)env_put(env, mem_format("SERVER_STARTER_PORT=%s", str_text(&ports)));
	(void)env_put(env, mem_format("SERVER_STARTER_GENERATION=%u", spec->generation));
	str_fini(&ports);
}

static void add_nginx(const struct launch_spec *spec, struct text_list *env)
{
	struct str numbers = { 0 };

	for (size_t i = 0; i < spec->held_count; i++)
		str_addf(&numbers, "%zu;", LAUNCH_FIRST_FD + i);
	(void)env_put(env, mem_format("NGINX=%s", str_text(&numbers)));
	str_fini(&numbers);
}

/* EINHORN_MASTER_PID must be the receiver's parent: that is us. */
static void add_einhorn(const struct launch_spec *spec, struct text_list *env)
{
	struct str numbers = { 0 };

	(void)env_put(env, mem_format("EINHORN_FD_COUNT=%zu", spec->held_count));
	for (size_t i = 0; i < spec->held_count; i++) {
		(void)env_put(env, mem_format("EINHORN_FD_%zu=%zu", i, LAUNCH_FIRST_FD + i));
		str_addf(&numbers, "%s%zu", i ? " " : "", LAUNCH_FIRST_FD + i);
	}
	(void)env_put(env, mem_format("EINHORN_FDS=%s", str_text(&numbers)));
	(void)env_put(env, mem_format("EINHORN_MASTER_PID=%ld", (long)getpid()));
	(void)env_put(env, mem_format("EINHORN_CHILD_INDEX=%u", spec->slot));
	(void)env_put(env, mem_format("EINHORN_SOCK_PATH=%s", spec->ack_path));
	str_fini(&numbers);
}

/* php-fpm finds a socket by its address as inet_ntop(3) writes it, a colon and
 * the port; also for IPv6, where nobody else does without brackets. */
static void add_php_fpm(const struct launch_spec *spec, struct text_list *env)
{
	struct str all = { 0 };

	for (size_t i = 0; i < spec->held_count; i++) {
		const struct address *a = &spec->held[i]->key.address;
		const struct sockaddr *sa = (const struct sockaddr *)&a->sa;
		const void *host = sa->sa_family == AF_INET6
			? (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr
			: (const void *)&((const struct sockaddr_in *)sa)->sin_addr;
		char text[INET6_ADDRSTRLEN];

		if (inet_ntop(sa->sa_family, host, text, sizeof(text)))
			str_addf(&all, "%s%s:%d=%zu", all.length ? "," : "", text,
				 address_port(a), LAUNCH_FIRST_FD + i);
	}
	(void)env_put(env, mem_format("FPM_SOCKETS=%s", str_text(&all)));
	str_fini(&all);
}

int env_build(const struct launch_spec *spec, struct launch_names *names,
	      struct text_list *ret, char *ret_pid_digits[SPAWN_PIDS], struct err *err)
{
	unsigned handoff = spec->held_count && !spec->command ? spec->program->handoff : 0;

	inherit(ret, spec->program->clear_environment);
	if (add_settings(spec, names, ret, err) < 0)
		return -1;
	add_who(spec, ret);
	ret_pid_digits[0] = ret_pid_digits[1] = NULL;
	if (spec->program->watchdog)
		ret_pid_digits[1] = add_watchdog(spec, ret);
	if (spec->program->handoff & HANDOFF_LISTEN_FDS)
		(void)env_put(ret, mem_format("FDSTORE=%d", FD_STORE_MOST));
	if (handoff & HANDOFF_LISTEN_FDS || launch_kept(spec))
		ret_pid_digits[0] = add_listen_fds(spec, ret);
	if (handoff & HANDOFF_LISTEN_FDS)
		add_server_starter(spec, ret);
	if (handoff & HANDOFF_NGINX)
		add_nginx(spec, ret);
	if (handoff & HANDOFF_EINHORN)
		add_einhorn(spec, ret);
	if (handoff & HANDOFF_PHP_FPM)
		add_php_fpm(spec, ret);
	return 0;
}
