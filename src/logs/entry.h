/* One line as those take it that keep logs for all: as syslog(3) would say it (RFC 3164,
 * without a host), or with the fields of systemd's journal.  Pure: no sockets, no clock. */
#ifndef HOLDPORT_LOGS_ENTRY_H
#define HOLDPORT_LOGS_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/str.h"

struct entry {
	const char *identity;		/* NULL: the program in origin */
	const char *origin;		/* "web/3/0"; NULL: nobody's line but the identity's */
	long pid;
	int facility, priority;		/* as in syslog(3) */
	bool prefix;			/* the origin is part of what syslog gets */
	const char *text;
	size_t length;
	time_t when;
};

/* "<3>" in front of a line is its priority (sd-daemon(3)), and no part of it. */
void entry_take_level(struct entry *e);
void entry_for_syslog(const struct entry *e, struct str *out);
void entry_for_journal(const struct entry *e, struct str *out);

#endif
