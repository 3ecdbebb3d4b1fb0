#include "socket/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/platform.h"
#include "socket/held.h"

enum { FIRST_FD = 3, FDS_MOST = 1 << 16 };

/* The next of "a:b:c"; moves *rest behind it. */
static char *next_name(const char **rest)
{
	size_t length = *rest ? strcspn(*rest, ":") : 0;
	char *name = length ? mem_text_n(*rest, length) : mem_text("unknown");

	if (*rest)
		*rest += length + ((*rest)[length] == ':');
	return name;
}

/* As sh -c 'holdport run …; true' does it. */
static void hint(long pid, long count, pid_t us)
{
	pid_t starter = us == getpid() ? getppid() : platform_parent(us);

	if (count > 0 && pid == (long)starter)
		log_warning("LISTEN_FDS names %ld sockets for process %ld, which started us and did "
			    "not become us: they are not used; start holdport by exec", count, pid);
}

void inherited_note(const char *pid, const char *fds, const char *names, pid_t us,
		    struct inherited *ret)
{
	long count = fds ? strtol(fds, NULL, 10) : 0, whose = pid ? strtol(pid, NULL, 10) : 0;

	*ret = (struct inherited){ 0 };
	if (whose != (long)us) {
		hint(whose, count, us);
		return;
	}
	if (count > FDS_MOST)
		count = FDS_MOST;
	for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++) {
		char *name = next_name(&names);

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
			free(name);
			continue;
		}
		ret->fds = mem_grow(ret->fds, ret->count + 1, sizeof(*ret->fds));
		ret->fds[ret->count++] = fd;
		text_list_add_owned(&ret->names, name);
	}
}

static int number_of(int fd, int option)
{
	socklen_t length = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

static bool is_connection(int fd, int type)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	return type != SOCK_DGRAM && getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

static bool has_address(const struct address *a)
{
	if (a->sa.ss_family == AF_UNIX)
		return a->length > offsetof(struct sockaddr_un, sun_path);
	return address_port(a) > 0;
}

int inherited_key(int fd, struct key *ret, struct err *err)
{
	struct address a = { .length = sizeof(a.sa) };
	int type = number_of(fd, SO_TYPE), protocol = number_of(fd, SO_PROTOCOL);

	if (getsockname(fd, (struct sockaddr *)&a.sa, &a.length) < 0)
		return err_set(err, errno, "it is not a socket");
	if (a.sa.ss_family != AF_INET && a.sa.ss_family != AF_INET6 && a.sa.ss_family != AF_UNIX)
		return err_set(err, EAFNOSUPPORT, "it is neither an IP nor a unix socket");
	if (is_connection(fd, type))
		return err_set(err, EISCONN, "it is a connection, not a listening socket");
	if (!has_address(&a))
		return err_set(err, EINVAL, "it is not bound to an address");
	key_make(&a, type, protocol, ret);
	return 0;
}

/* Several of one address are the slots of a group, in whichever order. */
static void number_slot(int fd, struct store *store, struct key *key)
{
	while (number_of(fd, SO_REUSEPORT) > 0 && store_given(store, key))
		key->slot++;
}

void inherited_give(struct inherited *in, struct store *store)
{
	for (size_t i = 0; i < in->count; i++) {
		struct err err = { 0 };
		struct key key;

		if (inherited_key(in->fds[i], &key, &err) == 0) {
			number_slot(in->fds[i], store, &key);
			store_give(store, in->fds[i], &key, in->names.items[i]);
			continue;
		}
		log_warning("descriptor %d (\"%s\") was given to us and is closed: %s", in->fds[i],
			    in->names.items[i], err.text);
		fd_close(&in->fds[i]);
	}
	inherited_fini(in);
}

/* Once for all: a thousand are asked for a thousand times. */
static void note_inodes(struct inherited *in)
{
	struct stat st;

	if (in->inodes)
		return;
	in->inodes = mem_grow(NULL, in->count + 1, sizeof(*in->inodes));
	for (size_t i = 0; i < in->count; i++)
		in->inodes[i] = fstat(in->fds[i], &st) == 0 ? (uint64_t)st.st_ino : 0;
}

int inherited_take(struct inherited *in, uint64_t inode)
{
	size_t i = 0, behind;
	int fd;

	note_inodes(in);
	while (i < in->count && in->inodes[i] != inode)
		i++;
	if (i == in->count)
		return -1;
	fd = in->fds[i];
	behind = --in->count - i;
	text_list_remove(&in->names, i);
	memmove(in->fds + i, in->fds + i + 1, behind * sizeof(*in->fds));
	memmove(in->inodes + i, in->inodes + i + 1, behind * sizeof(*in->inodes));
	return fd;
}

void inherited_fini(struct inherited *in)
{
	text_list_fini(&in->names);
	free(in->fds);
	free(in->inodes);
	*in = (struct inherited){ 0 };
}
