/* Where the supervisor's own lines go: stderr, syslog, the journal
 * (outlet.h), or a file that outside rotators may move.  Lines that go nowhere are
 * counted, and the count is said when one goes again. */
#ifndef HOLDPORT_LOGS_SINK_H
#define HOLDPORT_LOGS_SINK_H

#include "base/err.h"
#include "base/log.h"

/* where: "stderr", "syslog", "journal", or a path.  On failure the old one stays. */
int sink_open(const char *where, struct err *err);
void sink_reopen(void);		/* a file is opened anew; the rest has nothing to do */
void sink_close(void);		/* back to stderr */

#endif
