/* bind(2) by other ways than a call of this machine's own. */
#ifndef HOLDPORT_TESTS_BIND_WAYS_H
#define HOLDPORT_TESTS_BIND_WAYS_H

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As a program of 32 bits calls it. */
static int bind_by_32_bits(int fd, const void *sa, socklen_t length)
{
#ifdef __x86_64__
	void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long rc;

	memcpy(low, sa, length);
	__asm__ volatile("int $0x80"
			 : "=a"(rc)
			 : "a"(361L), "b"((long)fd), "c"(low), "d"((long)length)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = rc < 0 ? (int)-rc : 0;
	return rc < 0 ? -1 : 0;
#else
	(void)fd, (void)sa, (void)length;
	errno = ENOSYS;
	return -1;
#endif
}

/* With pointers of 32 bits, in a kernel that has this at all: else ENOSYS. */
static int bind_by_x32(int fd, const void *sa, socklen_t length)
{
#ifdef __x86_64__
	return (int)syscall(0x40000000L + SYS_bind, fd, sa, length);
#else
	(void)fd, (void)sa, (void)length;
	errno = ENOSYS;
	return -1;
#endif
}

enum { RING_OP_BIND = 56 };	/* IORING_OP_BIND, since Linux 6.11 */

static void *map_ring(int ring, size_t size, long long offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);
}

static int bind_by_ring(int fd, const void *sa, socklen_t length)
{
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	struct io_uring_sqe *entries;
	const struct io_uring_cqe *done;
	char *asked, *answered;

	if (ring < 0)
		return -1;
	asked = map_ring(ring, p.sq_off.array + p.sq_entries * sizeof(unsigned),
			 IORING_OFF_SQ_RING);
	answered = map_ring(ring, p.cq_off.cqes + p.cq_entries * sizeof(*done),
			    IORING_OFF_CQ_RING);
	entries = map_ring(ring, p.sq_entries * sizeof(*entries), IORING_OFF_SQES);
	entries[0] = (struct io_uring_sqe){ .opcode = RING_OP_BIND, .fd = fd,
					    .addr = (unsigned long)sa, .addr2 = length };
	*(unsigned *)(void *)(asked + p.sq_off.array) = 0;
	__atomic_fetch_add((unsigned *)(void *)(asked + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -1;
	done = (const void *)(answered + p.cq_off.cqes);
	errno = done->res < 0 ? -done->res : 0;
	return done->res < 0 ? -1 : 0;
}

#endif
