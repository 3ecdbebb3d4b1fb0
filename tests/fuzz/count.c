/* What the kernel says about sockets: any bytes give a list of what can be ours. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "platform/linux/count_seen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* The library cuts what was received into messages, and trusts the kernel with
 * their lengths: here they are cut for it, each with nothing behind it but what
 * fills it up to four bytes (netlink(7)). */
static size_t hear_one(mnl_cb_t parse, const uint8_t *data, size_t size, struct count_seen *s)
{
	struct nlmsghdr head, *message;
	size_t length;

	if (size < sizeof(head))
		return size;
	memcpy(&head, data, sizeof(head));
	length = head.nlmsg_len < size ? head.nlmsg_len : size;
	length = length < sizeof(head) ? sizeof(head) : length;
	head.nlmsg_len = (uint32_t)length;
	message = calloc(1, NLMSG_ALIGN(length));
	must(message != NULL);
	memcpy(message, data, length);
	memcpy(message, &head, sizeof(head));
	must(parse(message, s) == MNL_CB_OK);
	free(message);
	return length;
}

static void check(const struct count_seen *s)
{
	must(s->count <= s->room);
	for (size_t i = 0; i < s->count; i++) {
		must(s->items[i].inode != 0);
		must(s->items[i].socket < s->socket_count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const mnl_cb_t parsers[] = { count_seen_inet, count_seen_unix };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(8080) };
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "/run/web" };
	struct count_socket sockets[] = {
		{ .sa = (struct sockaddr *)&v4, .length = sizeof(v4) },
		{ .sa = (struct sockaddr *)&v6, .length = sizeof(v6) },
		{ .sa = (struct sockaddr *)&path, .length = sizeof(path) },
	};
	struct count_seen seen = { .sockets = sockets, .socket_count = 3 };

	for (size_t at = 1; at < size;)
		at += hear_one(parsers[data[0] % 2], data + at, size - at, &seen);
	check(&seen);
	count_seen_fini(&seen);
	return 0;
}
