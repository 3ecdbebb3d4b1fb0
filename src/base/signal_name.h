/* Signals by name: "TERM" or "SIGTERM" or a number. */
#ifndef HOLDPORT_BASE_SIGNAL_NAME_H
#define HOLDPORT_BASE_SIGNAL_NAME_H

int signal_number(const char *name);		/* 0: no such signal */
const char *signal_name(int number);		/* "TERM"; "?" */

#endif
