/* A datagram from a worker: any bytes give a message that holds what it may. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "health/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notify_message m;

	notify_parse((const char *)data, size, &m);
	must(memchr(m.status, '\0', sizeof(m.status)) != NULL);
	must(memchr(m.fd_name, '\0', sizeof(m.fd_name)) != NULL);
	must(strpbrk(m.fd_name, ":\n ") == NULL);
	must(m.main_pid >= 0 && m.error >= 0 && m.error < 4096);
	must(!m.fds && !m.fd_count);
	return 0;
}
