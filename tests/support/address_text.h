/* HOST:PORT, [V6]:PORT, unix:/path and unix:@name, to and from what the kernel takes. */
#ifndef HOLDPORT_SUPPORT_ADDRESS_TEXT_H
#define HOLDPORT_SUPPORT_ADDRESS_TEXT_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline bool address_read_unix(const char *path, struct sockaddr_storage *ret,
				     socklen_t *ret_length)
{
	struct sockaddr_un *to = (struct sockaddr_un *)ret;
	size_t n = strlen(path);

	if (n >= sizeof(to->sun_path))
		return false;
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(to->sun_path, path, n);
	if (*path == '@')
		to->sun_path[0] = '\0';
	*ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path != '@'));
	return true;
}

static inline bool address_read(const char *text, struct sockaddr_storage *ret,
				socklen_t *ret_length)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(text, ':');
	struct addrinfo *found;
	char host[256];

	if (!strncmp(text, "unix:", 5))
		return address_read_unix(text + 5, ret, ret_length);
	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (*host == '[') {
		memmove(host, host + 1, strlen(host));
		host[strcspn(host, "]")] = '\0';
	}
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(ret, found->ai_addr, found->ai_addrlen);
	*ret_length = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static inline void address_print(const struct sockaddr_storage *a, socklen_t length, char *ret,
				 size_t size)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;
	const struct sockaddr_un *un = (const void *)a;
	char host[INET6_ADDRSTRLEN] = "";

	if (a->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(ret, size, "%s:%d", host, ntohs(v4->sin_port));
	} else if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(ret, size, "[%s]:%d", host, ntohs(v6->sin6_port));
	} else if (length <= offsetof(struct sockaddr_un, sun_path)) {
		snprintf(ret, size, "unix:");
	} else if (un->sun_path[0]) {
		snprintf(ret, size, "unix:%s", un->sun_path);
	} else {
		snprintf(ret, size, "unix:@%.*s",
			 (int)(length - offsetof(struct sockaddr_un, sun_path) - 1),
			 un->sun_path + 1);
	}
}

#endif
