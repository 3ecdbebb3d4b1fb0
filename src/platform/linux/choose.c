/* A classic BPF program on the SO_REUSEPORT group: it answers the place of the
 * socket that gets the connection (socket(7), SO_ATTACH_REUSEPORT_CBPF). */
#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/owner.h"
#include "platform/platform.h"

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68	/* Linux 5.3 */
#endif

#define AD(field)   ((unsigned)SKF_AD_OFF + SKF_AD_##field)
#define NET(offset) ((unsigned)SKF_NET_OFF + (offset))
#define GOLDEN	    0x9e3779b1u		/* spreads neighbouring numbers */

/* A = a number by which a connection is given away: any. */
static const struct sock_filter by_chance[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AD(RANDOM)),
};

/* Datagrams of one sender stay together: A = a hash of his address and port.
 * Behind IP options it is of something else, but of the same for each datagram. */
static const struct sock_filter by_sender[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NET(0)),
	BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 4, 0),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET(20)),	/* IPv4: the port, the address */
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET(12)),
	BPF_STMT(BPF_JMP | BPF_JA, 3),
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET(40)),	/* IPv6: its last four bytes */
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET(20)),
	BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
	BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, GOLDEN),
	BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
};

struct program {
	struct sock_filter *code;
	size_t length;
};

static void add(struct program *p, const struct sock_filter *code, size_t length)
{
	p->code = mem_grow(p->code, p->length + length, sizeof(*code));
	for (size_t i = 0; i < length; i++)
		p->code[p->length++] = code[i];
}

/* A = A modulo count; the A-th of the places. */
static void add_choice(struct program *p, const unsigned *places, size_t count)
{
	const struct sock_filter modulo =
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (unsigned)count);

	add(p, &modulo, 1);
	for (size_t i = 0; i < count; i++) {
		const struct sock_filter one[] = {
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)i, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, places[i]),
		};

		add(p, one, COUNT(one));
	}
	add(p, &(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, places[0]), 1);
}

static int steer_evenly(int fd)
{
	int none = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof(none)) == 0)
		return 0;
	return errno == ENOENT ? 0 : -1;	/* there was no program */
}

int platform_choose(int fd, bool datagram, const unsigned *places, size_t count)
{
	struct program p = { 0 };
	struct sock_fprog all;
	int rc, why;

	if (!count)
		return steer_evenly(fd);
	if (datagram)
		add(&p, by_sender, COUNT(by_sender));
	else
		add(&p, by_chance, COUNT(by_chance));
	add_choice(&p, places, count);
	all = (struct sock_fprog){ .len = (unsigned short)p.length, .filter = p.code };
	rc = setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &all, sizeof(all));
	why = errno;
	free(p.code);
	errno = why;
	return rc;
}

/* What decides who may be in a group is the owner of the socket's inode; fchown(2)
 * changes it (sockfs), and no other thing of ours changes its user for a moment. */
int platform_socket_owner(int fd, uid_t user)
{
	return fchown(fd, user, (gid_t)-1);
}
