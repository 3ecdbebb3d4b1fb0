#include "platform/traits.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

static int cannot(bool asked)
{
	errno = ENOTSUP;
	return asked ? -1 : 0;
}

int platform_set_nice(const struct traits *t)
{
	return t->nice == TRAIT_UNSET ? 0 : setpriority(PRIO_PROCESS, 0, (int)t->nice);
}

int platform_set_oom(const struct traits *t)
{
	return cannot(t->oom_score_adj != TRAIT_UNSET);
}

int platform_set_processors(const struct traits *t)
{
	return cannot(t->processors.set);
}

int platform_set_io(const struct traits *t)
{
	return cannot(t->io_class != IO_INHERIT);
}

int platform_set_no_new_privileges(const struct traits *t)
{
	return cannot(t->no_new_privileges);
}

int platform_limit_capabilities(const struct traits *t)
{
	return cannot(t->capabilities.set);
}

int platform_set_capabilities(const struct traits *t)
{
	return cannot(t->capabilities.set);
}

int platform_capability(const char *name)
{
	(void)name;
	return -1;
}

const char *platform_capability_name(int number, char buf[CAPABILITY_NAME_SIZE])
{
	(void)snprintf(buf, CAPABILITY_NAME_SIZE, "%d", number);
	return buf;
}
