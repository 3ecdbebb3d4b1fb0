/* The process that writes logs: `holdportd scribe`, started by the manager when a
 * program's output goes to a file.  It has three descriptors: the manager's orders, the
 * memory of last lines, and the runtime directory's lock, which it holds in its own
 * name as well, so that one that is still at work is waited for.  It steps out of the
 * manager's children: one that becomes another program by exec(2) would not know it.
 *
 * When its manager is gone it writes what is there and ends. */
#ifndef HOLDPORT_LOGS_SCRIBE_H
#define HOLDPORT_LOGS_SCRIBE_H

enum { SCRIBE_ORDERS = 3, SCRIBE_TAILS, SCRIBE_LOCK, SCRIBE_FDS };

#define SCRIBE_WORD "scribe"

int scribe_run(int argc, char **argv);

#endif
