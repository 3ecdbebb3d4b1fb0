/* Where logs are kept by another process, which takes them a line a datagram: syslog
 * (/dev/log) or systemd's journal.  Nothing here waits for it longer than it is told to. */
#ifndef HOLDPORT_LOGS_OUTLET_H
#define HOLDPORT_LOGS_OUTLET_H

#include "base/err.h"
#include "logs/entry.h"
#include "logs/order.h"

struct outlet {
	enum log_to to;			/* one of those that are no file */
	int fd;				/* -1: it is connected with the next line */
	struct str text;
};

/* Connects; with the first line it is done anyhow. */
int outlet_open(struct outlet *o, struct err *err);
int outlet_send(struct outlet *o, const struct entry *e, int patience_ms, struct err *err);
/* Lines, and pieces of those that are too long, as what `like` says of them.  *ret_done:
 * how many bytes of them went. */
int outlet_write(struct outlet *o, const struct entry *like, const char *bytes, size_t count,
		 size_t *ret_done, struct err *err);
void outlet_close(struct outlet *o);

#endif
