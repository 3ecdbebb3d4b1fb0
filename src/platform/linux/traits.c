#include "platform/traits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

int platform_set_nice(const struct traits *t)
{
	return t->nice == TRAIT_UNSET ? 0 : setpriority(PRIO_PROCESS, 0, (int)t->nice);
}

/* A number in text: sprintf(3) is not for a child of fork(2). */
static size_t write_number(int64_t n, char *end)
{
	uint64_t left = n < 0 ? (uint64_t)-n : (uint64_t)n;
	char *p = end;

	do {
		*--p = (char)('0' + left % 10);
	} while (left /= 10);
	if (n < 0)
		*--p = '-';
	return (size_t)(end - p);
}

int platform_set_oom(const struct traits *t)
{
	char room[24], *end = room + sizeof(room);
	size_t length;
	ssize_t n;
	int fd;

	if (t->oom_score_adj == TRAIT_UNSET)
		return 0;
	length = write_number(t->oom_score_adj, end);
	if ((fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)) < 0)
		return -1;
	n = write(fd, end - length, length);
	fd_close(&fd);
	return n == (ssize_t)length ? 0 : -1;
}

int platform_set_processors(const struct traits *t)
{
	if (!t->processors.set)
		return 0;
	/* The kernel's own layout: longs, lowest first (sched_setaffinity(2)). */
	return (int)syscall(SYS_sched_setaffinity, 0, sizeof(t->processors.bits),
			    t->processors.bits);
}

int platform_set_io(const struct traits *t)
{
	static const int classes[] = { [IO_REALTIME] = IOPRIO_CLASS_RT,
				       [IO_BEST_EFFORT] = IOPRIO_CLASS_BE,
				       [IO_IDLE] = IOPRIO_CLASS_IDLE };
	int value;

	if (t->io_class == IO_INHERIT)
		return 0;
	value = IOPRIO_PRIO_VALUE(classes[t->io_class],
				  t->io_class == IO_IDLE ? 0 : (int)t->io_priority);
	return (int)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value);
}

int platform_set_no_new_privileges(const struct traits *t)
{
	return t->no_new_privileges ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

static bool has(const struct traits *t, int number)
{
	return t->capabilities.bits >> number & 1;
}

int platform_limit_capabilities(const struct traits *t)
{
	if (!t->capabilities.set)
		return 0;
	for (int n = 0; n < CAPABILITIES_MOST; n++) {
		/* -1: this kernel has no further ones. */
		if (prctl(PR_CAPBSET_READ, n, 0, 0, 0) < 0)
			break;
		if (!has(t, n) && prctl(PR_CAPBSET_DROP, n, 0, 0, 0) < 0)
			return -1;
	}
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

int platform_set_capabilities(const struct traits *t)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (!t->capabilities.set)
		return 0;
	for (int i = 0; i < 2; i++) {
		data[i].permitted = (__u32)(t->capabilities.bits >> 32 * i);
		data[i].effective = data[i].inheritable = data[i].permitted;
	}
	if (syscall(SYS_capset, &head, data) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	for (int n = 0; n < CAPABILITIES_MOST; n++)
		if (has(t, n) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0) < 0)
			return -1;
	return 0;
}

int platform_capability(const char *name)
{
	char full[CAPABILITY_NAME_SIZE];
	cap_value_t value;
	const char *prefix = strncasecmp(name, "cap_", 4) == 0 ? "" : "cap_";

	/* cap_from_name(3) takes numbers as well, which nobody can read. */
	if (!*name || strspn(name, "0123456789") == strlen(name))
		return -1;
	(void)snprintf(full, sizeof(full), "%s%s", prefix, name);
	return cap_from_name(full, &value) == 0 && value < CAPABILITIES_MOST ? value : -1;
}

const char *platform_capability_name(int number, char buf[CAPABILITY_NAME_SIZE])
{
	char *full = cap_to_name(number);
	const char *name = full ? full : "?";

	(void)snprintf(buf, CAPABILITY_NAME_SIZE, "%s",
		       strncmp(name, "cap_", 4) == 0 ? name + 4 : name);
	(void)cap_free(full);
	return buf;
}
