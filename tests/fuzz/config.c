/* A configuration file from anybody: whatever it holds, it gives settings that
 * can be printed and read again, or faults. */
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/understand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names in `listen` would be asked of the network, at a thousand a second. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	(void)node;
	(void)service;
	(void)hints;
	*ret = NULL;
	return EAI_NONAME;
}

static struct settings *read_bytes(const void *data, size_t size, struct faults *faults)
{
	FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
	struct settings *s;

	if (!in)
		abort();
	s = settings_from_stream(in, "input.conf", faults);
	(void)fclose(in);
	if (!s == !faults->count)
		abort();	/* settings or faults, never both, never neither */
	return s;
}

/* What is printed is a file that is read without a fault. */
static void print_and_read(const struct settings *s)
{
	struct faults faults = { 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort();
	settings_print(s, SETTINGS_EVERY_KEY, out);
	(void)fclose(out);
	settings_unref(read_bytes(text, length, &faults));
	faults_print(&faults, stderr);
	if (faults.count)
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults = { 0 };
	struct settings *s;

	if (!size)
		return 0;
	s = read_bytes(data, size, &faults);
	if (s)
		print_and_read(s);
	settings_unref(s);
	faults_fini(&faults);
	return 0;
}
