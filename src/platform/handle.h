/* A handle for a process, where the system has one; inside platform/ only. */
#ifndef HOLDPORT_PLATFORM_HANDLE_H
#define HOLDPORT_PLATFORM_HANDLE_H

#include <sys/types.h>

int platform_handle_open(pid_t pid);		/* close-on-exec; -1: none */
int platform_handle_signal(int handle, int number);	/* 0, or -1 and errno */

#endif
