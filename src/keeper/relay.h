/* sd_notify(3), the sending side, from the process that a service manager knows:
 * it believes no other.  What is said is the manager's. */
#ifndef HOLDPORT_KEEPER_RELAY_H
#define HOLDPORT_KEEPER_RELAY_H

struct relay {
	const char *path;	/* NULL: nobody is there; the environment's */
	int fd;
};

void relay_open(struct relay *r, const char *path);
void relay_close(struct relay *r);
/* Borrows pass (-1: none).  Never waits.  0, or an errno: EAGAIN where it would have to. */
int relay_send(struct relay *r, const char *text, int pass);

#endif
