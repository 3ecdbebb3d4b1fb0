#include "process/way.h"

#include "platform/intercept.h"
#include "platform/platform.h"
#include "process/beside.h"

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

const char *way_library(void)
{
	static bool looked;
	static char *found;

	if (!looked)
		found = beside(LIBRARY);
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
