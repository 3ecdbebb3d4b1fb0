#include "logs/tail.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/process.h"

static_assert(sizeof(struct tail) == TAIL_SIZE, "a tail is a page");

int tails_open(struct err *err)
{
	int fd = platform_anonymous_file("holdport-tails");

	if (fd >= 0 && ftruncate(fd, (off_t)TAILS_MOST * TAIL_SIZE) == 0)
		return fd;
	(void)err_sys(err, errno, "cannot make memory for last lines");
	fd_close(&fd);
	return -1;
}

struct tail *tails_map(int fd)
{
	void *at = mmap(NULL, (size_t)TAILS_MOST * TAIL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

void tails_unmap(struct tail *tails)
{
	if (tails)
		(void)munmap(tails, (size_t)TAILS_MOST * TAIL_SIZE);
}

void tail_clear(struct tail *t)
{
	atomic_store(&t->total, 0);
}

void tail_begin(struct tail *t)
{
	atomic_fetch_or(&t->turn, 1);
}

void tail_end(struct tail *t)
{
	atomic_store(&t->turn, (atomic_load(&t->turn) | 1) + 1);
}

void tail_add(struct tail *t, const char *bytes, size_t count)
{
	uint64_t total = atomic_load(&t->total);
	size_t skip = count > TAIL_BYTES ? count - TAIL_BYTES : 0, at, first;

	bytes += skip;
	count -= skip;
	at = (size_t)((total + skip) % TAIL_BYTES);
	first = count < TAIL_BYTES - at ? count : TAIL_BYTES - at;
	memcpy(t->bytes + at, bytes, first);
	memcpy(t->bytes, bytes + first, count - first);
	atomic_store(&t->total, total + skip + count);
}

void tail_read(const struct tail *t, struct str *out)
{
	uint64_t total = atomic_load(&t->total);
	size_t at = (size_t)(total % TAIL_BYTES);

	if (total >= TAIL_BYTES)
		str_add_n(out, t->bytes + at, TAIL_BYTES - at);
	str_add_n(out, t->bytes, at);
}
