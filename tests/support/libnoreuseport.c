/* libnoreuseport: a system that takes SO_REUSEPORT and makes nothing of it
 * (LD_PRELOAD). */
#include <dlfcn.h>
#include <sys/socket.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	int (*next)(int, int, int, const void *, socklen_t);

	if (level == SOL_SOCKET && name == SO_REUSEPORT)
		return 0;
	*(void **)&next = dlsym(RTLD_NEXT, "setsockopt");
	return next(fd, level, name, value, length);
}
