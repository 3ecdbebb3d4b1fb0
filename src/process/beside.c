#include "process/beside.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/platform.h"

static char *if_there(char *path)
{
	if (path && access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

char *beside(const char *name)
{
	char *own = platform_own_directory();
	char *found = if_there(own ? mem_format("%s/%s", own, name) : NULL);

	free(own);
	return found ? found : if_there(mem_format(HOLDPORT_LIBDIR "/%s", name));
}
