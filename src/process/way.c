#include "process/way.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/intercept.h"
#include "platform/platform.h"

#define LIBRARY "libholdport-preload.so"

const char *way_word(enum way w)
{
	static const char *const words[] = {
#define X(name, word) [WAY_##name] = word,
		WAYS(X)
#undef X
	};
	return words[w];
}

/* Beside us in a build; where it was installed otherwise. */
static char *find_library(void)
{
	char *own = platform_own_directory(), *path = own ? mem_format("%s/" LIBRARY, own) : NULL;

	free(own);
	if (path && access(path, R_OK) == 0)
		return path;
	free(path);
	return access(HOLDPORT_LIBDIR "/" LIBRARY, R_OK) == 0 ? mem_text(HOLDPORT_LIBDIR "/" LIBRARY)
							     : NULL;
}

const char *way_library(void)
{
	static bool looked;
	static char *found;

	if (!looked)
		found = find_library();
	looked = true;
	return found;
}

enum way way_of_system(struct err *err)
{
	static bool tried, works;
	static struct err why;

	if (!tried)
		works = platform_filter_works(&why) == 0;
	tried = true;
	if (works)
		return WAY_SECCOMP;
	if (err)
		*err = why;
	return platform_preloads() && way_library() ? WAY_PRELOAD : WAY_NONE;
}

int way_reaches(const char *file, struct err *err)
{
	return platform_preload_reaches(file, err);
}
