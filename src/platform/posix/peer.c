#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/platform.h"

#ifdef SO_PEERCRED
/* unix(7): as it was at connect(2). */
int platform_peer_user(int fd, uid_t *ret)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -1;
	*ret = peer.uid;
	return 0;
}

static int primary_group(int fd, gid_t *ret)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -1;
	*ret = peer.gid;
	return 0;
}
#else
/* getpeereid(3): the BSDs and macOS. */
int platform_peer_user(int fd, uid_t *ret)
{
	gid_t group;

	return getpeereid(fd, ret, &group);
}

static int primary_group(int fd, gid_t *ret)
{
	uid_t user;

	return getpeereid(fd, &user, ret);
}
#endif

#ifdef SO_PEERGROUPS
/* Linux 4.13.  What does not fit is ERANGE, with the length that would. */
static gid_t *other_groups(int fd, size_t *ret_count)
{
	gid_t *groups = NULL;
	socklen_t length = 0;
	int rc;

	while ((rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length)) < 0 &&
	       errno == ERANGE)
		groups = mem_grow(groups, length, 1);
	*ret_count = rc < 0 ? 0 : length / sizeof(*groups);
	return groups;
}
#else
static gid_t *other_groups(int fd, size_t *ret_count)
{
	(void)fd;
	*ret_count = 0;
	return NULL;
}
#endif

int platform_peer_in_group(int fd, gid_t group)
{
	size_t count;
	gid_t primary, *others;
	int rc;

	if (primary_group(fd, &primary) < 0)
		return -1;
	others = other_groups(fd, &count);
	rc = primary == group;
	for (size_t i = 0; others && i < count; i++)
		rc |= others[i] == group;
	free(others);
	return rc;
}

pid_t platform_peer_pid(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ? 0 : peer.pid;
}
