/* inotify(7) on the files themselves, not on their directories: what else happens
 * there wakes nobody.  A name that is made or removed changes the number of links,
 * which is IN_ATTRIB (Linux 2.6.25). */
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "platform/platform.h"

int platform_links_open(void)
{
	return inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
}

int platform_links_add(int set, const char *path)
{
	return inotify_add_watch(set, path, IN_ATTRIB | IN_MOVE_SELF | IN_DONT_FOLLOW);
}

void platform_links_remove(int set, int watch)
{
	(void)inotify_rm_watch(set, watch);
}

int platform_links_next(int set)
{
	union {
		struct inotify_event event;
		char room[sizeof(struct inotify_event) + NAME_MAX + 1];
	} one;
	ssize_t n = read(set, &one, sizeof(one));

	return n >= (ssize_t)sizeof(one.event) ? one.event.wd : -1;
}
