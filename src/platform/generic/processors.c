#include <unistd.h>

#include "platform/platform.h"

int platform_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (int)n : 1;
}
