#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "platform/platform.h"

int platform_first_free_port(void)
{
	char *text = fd_read_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", 64);
	int port = text ? atoi(text) : 1024;

	free(text);
	return port;
}

/* "22,8080-8090", as it was set. */
static bool is_listed(const char *list, int port)
{
	int low, high, n;

	for (; sscanf(list, "%d%n", &low, &n) == 1; list += *list == ',') {
		list += n;
		high = low;
		if (sscanf(list, "-%d%n", &high, &n) == 1)
			list += n;
		if (port >= low && port <= high)
			return true;
	}
	return false;
}

bool platform_is_ephemeral(int port)
{
	char *range = fd_read_file("/proc/sys/net/ipv4/ip_local_port_range", 64);
	char *reserved = fd_read_file("/proc/sys/net/ipv4/ip_local_reserved_ports", 65536);
	int low = 0, high = -1;
	bool given;

	given = range && sscanf(range, "%d %d", &low, &high) == 2 && port >= low && port <= high;
	given = given && !(reserved && is_listed(reserved, port));
	free(range);
	free(reserved);
	return given;
}
