#include "platform/platform.h"

#include <errno.h>
#include <stddef.h>

bool platform_preloads(void)
{
	return false;
}

char *platform_own_directory(void)
{
	return NULL;
}

int platform_preload_reaches(const char *file, struct err *err)
{
	(void)file;
	return err_set(err, ENOTSUP, "this system has no LD_PRELOAD");
}
