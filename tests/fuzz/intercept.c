/* What a worker may call bind(2) with: addresses of any bytes, families, types and
 * lengths.  Whatever it asks for, it is given nothing but what is held, or may be,
 * under an address of its own program. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/log.h"
#include "base/owner.h"
#include "config/settings.h"
#include "intercept/decide.h"
#include "intercept/door.h"
#include "intercept/path.h"
#include "intercept/understand.h"
#include "process/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const ours[] = { "*:8080", "127.0.0.1:9000", "[::1]:9001", "unix:/tmp/held",
				    "unix:@held" };
static const char *const theirs[] = { "127.0.0.1:9100", "[::]:9101", "0.0.0.0:9102",
				      "unix:/tmp/theirs", "unix:@theirs" };

static struct store store;
static struct settings whole = { .references = 1 };
static struct socket_settings settings = {
	.whole = &whole, .name = (char *)"fuzz", .type = SOCK_STREAM, .ipv6_only = CHOICE_AUTO,
	.by_worker = true,
};
static struct held *held[COUNT(ours) + COUNT(theirs)];

static void must(int holds)
{
	if (!holds)
		abort();
}

static struct held *permit(const char *text)
{
	struct address a;
	struct key key;
	struct held *h;

	must(address_parse(text, &a, NULL) == 0);
	key_make(&a, SOCK_STREAM, 0, &key);
	h = store_add(&store, &key, &settings, 0);
	held_ref(h);
	return h;
}

static void begin(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	store_init(&store, loop_new(NULL), NULL, NULL);
	for (size_t i = 0; i < COUNT(held); i++)
		held[i] = permit(i < COUNT(ours) ? ours[i] : theirs[i - COUNT(ours)]);
}

static void check_name(const struct asked *asked, socklen_t length)
{
	const struct sockaddr_un *un = (const void *)&asked->key.address.sa;
	const char *path = path_asked(asked);

	must(asked->key.address.length <= sizeof(*un));
	must(!path || strlen(path) < sizeof(un->sun_path));
	must(path || asked->key.address.length == length);
}

/* Every path lies in /tmp. */
static bool settle(struct asked *asked)
{
	struct trap t = { .fd = -1 };
	struct held *meant;
	struct stat st;

	if (!path_asked(asked))
		return true;
	must(stat("/tmp/", &st) == 0);
	t.device = st.st_dev;
	t.directory = st.st_ino;
	meant = path_meant(&store, &t, asked);
	if (meant)
		asked->key.address = meant->key.address;
	return meant;
}

/* What the preload library says; or somebody who says he is that. */
static void try_wire(const uint8_t *data)
{
	struct wire_call call;
	struct trap t;

	memcpy(&call, data, sizeof(call));
	if (!door_understand(&call, &t))
		return;
	must(t.length <= sizeof(t.sa));
	must(t.call == TRAP_LISTEN || t.length >= sizeof(sa_family_t));
}

/* The first bytes: domain, type, protocol and reach of its own socket. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int domains[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW };
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_MPTCP, IPPROTO_SCTP };
	struct permits permits = { held, COUNT(ours) };
	struct own_socket own;
	struct sockaddr_storage sa = { 0 };
	struct decision d;
	struct asked asked;

	if (!held[0])
		begin();
	if (size == sizeof(struct wire_call))
		try_wire(data);
	if (size < 4 || size - 4 > sizeof(sa))
		return 0;
	own = (struct own_socket){ domains[data[0] % 4], types[data[1] % 4],
				   protocols[data[2] % 4], data[3] & 1 };
	memcpy(&sa, data + 4, size - 4);
	if (!understand_bind(&own, &sa, (socklen_t)(size - 4), &asked))
		return 0;
	must(asked.key.family == own.domain && sa.ss_family == own.domain);
	if (own.domain == AF_UNIX)
		check_name(&asked, (socklen_t)(size - 4));
	else
		must(address_port(&asked.key.address) > 0);
	if (!settle(&asked))
		return 0;
	d = decide_bind(&store, &permits, &asked);
	must(d.answer != BIND_HAND);	/* nothing is bound */
	if (d.answer == BIND_MAKE) {
		must(decide_permit(&permits, d.held) >= 0);
		must(key_covers(&d.held->key, held_v6only(d.held), &asked.key, asked.v6only));
		must(asked.key.type == SOCK_STREAM);
	}
	if (d.answer == BIND_REFUSE)
		must(decide_permit(&permits, d.held) < 0);
	return 0;
}
