/* An address to listen on: what a user writes, what the kernel takes.
 *
 *   8080, *:8080     every address; one dual-stack socket where IPv6 exists
 *   HOST:PORT        HOST an IPv4 address or a name that resolves to one address
 *   [V6]:PORT        IPv6 only ([::]:PORT too, unless ipv6_only says otherwise);
 *                    [fe80::1%eth0]:PORT with a scope
 *   unix:/path       a path; unix:@name, the abstract namespace
 *
 * A value: copied freely, owns nothing. */
#ifndef HOLDPORT_SOCKET_ADDRESS_H
#define HOLDPORT_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"

struct address {
	struct sockaddr_storage sa;
	socklen_t length;
	bool any;	/* written as PORT or *:PORT: the family is ours to choose */
};

/* "HOST:PORT" and so on, as above.  What is wrong and what would be right is
 * said in err.  For `any` addresses sa is [::]:PORT where this system has IPv6,
 * 0.0.0.0:PORT otherwise. */
int address_parse(const char *text, struct address *ret, struct err *err);

#define ADDRESS_TEXT_SIZE 128
/* As a user would write it: "*:8080", "127.0.0.1:80", "[::1]:80", "unix:/path".
 * Returns buf. */
const char *address_text(const struct address *a, char buf[ADDRESS_TEXT_SIZE]);
/* The host part alone ("*", "127.0.0.1", "::1", "/path"), for ${address:…}. */
const char *address_host(const struct address *a, char buf[ADDRESS_TEXT_SIZE]);

/* Where who listens there is reached from this machine: a wildcard hears on loopback. */
void address_reach(const struct address *listen, struct address *ret);

int address_port(const struct address *a);	/* -1 for unix addresses */
const char *address_path(const struct address *a);	/* NULL unless a unix path */

#endif
