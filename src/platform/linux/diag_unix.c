#include <errno.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "platform/linux/sock_diag.h"

struct look {
	const char *name;	/* sun_path; an abstract one begins with NUL */
	size_t length;
	int type;
	struct holder *holders;
	size_t most, found;
};

/* The text of a path may or may not count its NUL. */
static bool same_name(const struct nlattr *attr, const struct look *l)
{
	const char *name = mnl_attr_get_payload(attr);
	size_t length = mnl_attr_get_payload_len(attr);

	if (length && name[0])
		length = strnlen(name, length);
	return length == l->length && memcmp(name, l->name, length) == 0;
}

static int on_listener(const struct nlmsghdr *head, void *ctx)
{
	const struct unix_diag_msg *m = mnl_nlmsg_get_payload(head);
	struct holder h = { .uid = (uid_t)-1, .inode = m->udiag_ino };
	const struct nlattr *attr;
	struct look *l = ctx;
	bool same = false;

	if (head->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*m))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, head, sizeof(*m)) {
		if (mnl_attr_get_type(attr) == UNIX_DIAG_NAME)
			same = same_name(attr, l);
		else if (mnl_attr_get_type(attr) == UNIX_DIAG_UID &&
			 mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
			h.uid = mnl_attr_get_u32(attr);
	}
	if (!same || m->udiag_type != l->type)
		return MNL_CB_OK;
	if (l->found < l->most)
		l->holders[l->found] = h;
	l->found++;
	return MNL_CB_OK;
}

int unix_find_listeners(const struct sockaddr *sa, socklen_t length, int type,
			struct holder *ret, size_t most, struct err *err)
{
	const struct sockaddr_un *un = (const void *)sa;
	size_t head = offsetof(struct sockaddr_un, sun_path);
	struct unix_diag_req r = {
		.sdiag_family = AF_UNIX,
		.udiag_states = type == SOCK_DGRAM ? 1u << TCP_CLOSE | 1u << TCP_ESTABLISHED :
						     1u << TCP_LISTEN,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID,
	};
	struct look l = { .name = un->sun_path, .length = length > head ? length - head : 0,
			  .type = type, .holders = ret, .most = most };

	if (l.length && l.name[0])
		l.length = strnlen(l.name, l.length);
	return sock_diag_ask(&r, sizeof(r), true, on_listener, &l, err) ? -1 : (int)l.found;
}

/* A connection that nobody has accepted has no inode yet. */
static int on_peer(const struct nlmsghdr *head, void *ctx)
{
	const struct nlattr *attr;
	unsigned long *inode = ctx;

	if (head->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct unix_diag_msg))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, head, sizeof(struct unix_diag_msg))
		if (mnl_attr_get_type(attr) == UNIX_DIAG_PEER &&
		    mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
			*inode = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

int unix_find_acceptor(int fd, unsigned long *ret_inode, struct err *err)
{
	struct unix_diag_req r = {
		.sdiag_family = AF_UNIX,
		.udiag_states = ~0u,
		.udiag_show = UDIAG_SHOW_PEER,
		.udiag_cookie = { ~0u, ~0u },
	};
	unsigned long inode = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot identify the connection");
	r.udiag_ino = (uint32_t)st.st_ino;
	if (sock_diag_ask(&r, sizeof(r), false, on_peer, &inode, err))
		return -1;
	if (inode)
		*ret_inode = inode;
	return inode != 0;
}
