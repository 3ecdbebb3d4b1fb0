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
	void *bytes;

	if (!size)
		return 0;
	/* Aligned, as the kernel's are, and no longer than they say. */
	bytes = malloc(size);
	must(bytes != NULL);
	memcpy(bytes, data + 1, size - 1);
	(void)mnl_cb_run(bytes, size - 1, 0, 0, parsers[data[0] % 2], &seen);
	check(&seen);
	count_seen_fini(&seen);
	free(bytes);
	return 0;
}
