/* By which numbers a program of 32 bits calls bind(2) and listen(2) on x86-64. */
#ifndef HOLDPORT_PLATFORM_LINUX_CALL_32_H
#define HOLDPORT_PLATFORM_LINUX_CALL_32_H

enum {
	I386_SOCKETCALL = 102,	/* SYS_BIND, SYS_LISTEN: one call for all of them */
	I386_BIND = 361,
	I386_LISTEN = 363,
};

#endif
