#include "socket/blocker.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/owner.h"
#include "platform/platform.h"
#include "socket/unix_path.h"

#define HOLDERS_MOST 8

static const char *const tcp_states[] = {
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_SYN_SENT] = "SYN_SENT",
	[TCP_SYN_RECV] = "SYN_RECV",
	[TCP_FIN_WAIT1] = "FIN_WAIT_1",
	[TCP_FIN_WAIT2] = "FIN_WAIT_2",
	[TCP_TIME_WAIT] = "TIME_WAIT",
	[TCP_CLOSE] = "CLOSE",
	[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_LAST_ACK] = "LAST_ACK",
	[TCP_LISTEN] = "LISTEN",
	[TCP_CLOSING] = "CLOSING",
};

static const struct sockaddr *sockaddr_of(const struct key *key)
{
	return (const struct sockaddr *)&key->address.sa;
}

static void add_user(struct str *ret, uid_t uid)
{
	struct passwd entry, *found = NULL;
	char room[4096];

	if (uid == (uid_t)-1)
		return;
	if (getpwuid_r(uid, &entry, room, sizeof(room), &found) == 0 && found)
		str_addf(ret, "user %s", found->pw_name);
	else
		str_addf(ret, "uid %lu", (unsigned long)uid);
}

static void add_holder(struct str *ret, const struct holder *h)
{
	if (h->pid == getpid()) {
		str_add(ret, "this supervisor");
		return;
	}
	if (!h->pid) {
		str_add(ret, "a process that is not visible from here");
		if (h->uid != (uid_t)-1) {
			str_add(ret, " (");
			add_user(ret, h->uid);
			str_add(ret, ")");
		}
		return;
	}
	str_add_escaped(ret, h->program, strlen(h->program));
	str_addf(ret, "%s(pid %ld", *h->program ? " " : "a process ", (long)h->pid);
	if (h->uid != (uid_t)-1) {
		str_add(ret, ", ");
		add_user(ret, h->uid);
	}
	str_add(ret, ")");
}

/* Slots of a group are several sockets of one process: said once. */
static bool told_before(const struct holder *h, int i)
{
	for (int k = 0; k < i; k++)
		if (h[k].pid == h[i].pid && h[k].uid == h[i].uid)
			return true;
	return false;
}

static bool by_listener(const struct key *key, const char *text, struct str *ret)
{
	struct holder holders[HOLDERS_MOST];
	int found = platform_find_listeners(sockaddr_of(key), key->address.length, key->type,
					    holders, HOLDERS_MOST, NULL);

	if (found <= 0)
		return false;
	str_addf(ret, "%s is taken by a %s of ", text,
		 key->type == SOCK_DGRAM ? "socket" : "listener");
	for (int i = 0; i < found && i < HOLDERS_MOST; i++) {
		if (told_before(holders, i))
			continue;
		str_add(ret, i ? " and " : "");
		add_holder(ret, &holders[i]);
	}
	return true;
}

static bool by_leftovers(const struct key *key, const char *text, struct str *ret)
{
	const char *between = "";
	unsigned counts[12], sum = 0;

	if (key->family == AF_UNIX || key->type != SOCK_STREAM ||
	    platform_count_leftovers(sockaddr_of(key), key->address.length, counts, NULL))
		return false;
	for (size_t i = 1; i < COUNT(tcp_states); i++)
		sum += counts[i];
	if (!sum)
		return false;
	str_addf(ret, "%s is taken by connections of an earlier listener that did not set "
		 "SO_REUSEADDR (", text);
	for (size_t i = 1; i < COUNT(tcp_states); i++) {
		if (!counts[i])
			continue;
		str_addf(ret, "%s%u in %s", between, counts[i], tcp_states[i]);
		between = ", ";
	}
	str_add(ret, ")");
	return true;
}

static void explain_taken(const struct key *key, const char *text, struct str *ret)
{
	bool file = address_path(&key->address) && !unix_path_note(key).inode;

	if (!file && (by_listener(key, text, ret) || by_leftovers(key, text, ret)))
		return;
	if (address_path(&key->address))
		unix_path_explain(key, EADDRINUSE, ret);
	else
		str_addf(ret, "%s is taken by a socket that %sis not visible from here", text,
			 key->type == SOCK_DGRAM ? "" : "does not listen, or that ");
}

static int first_free_port(void)
{
	char *text = fd_read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", 64);
	int port = text ? atoi(text) : 1024;

	free(text);
	return port;
}

static void explain_forbidden(const struct key *key, const char *text, struct str *ret)
{
	int port = address_port(&key->address);

	if (port >= 0 && port < first_free_port())
		str_addf(ret, "%s: port %d needs root or CAP_NET_BIND_SERVICE", text, port);
	else
		str_addf(ret, "%s: the system does not permit to bind it: %s", text,
			 strerror(EACCES));
}

void blocker_explain(const struct key *key, int bind_errno, struct str *ret)
{
	char text[ADDRESS_TEXT_SIZE];

	address_text(&key->address, text);
	if (bind_errno == EADDRINUSE)
		explain_taken(key, text, ret);
	else if (address_path(&key->address))
		unix_path_explain(key, bind_errno, ret);
	else if (bind_errno == EADDRNOTAVAIL)
		str_addf(ret, "%s: this address is not on this host", text);
	else if (bind_errno == EACCES)
		explain_forbidden(key, text, ret);
	else
		str_addf(ret, "cannot bind %s: %s", text, strerror(bind_errno));
}
