/* From a member back to what owns it. */
#ifndef HOLDPORT_BASE_OWNER_H
#define HOLDPORT_BASE_OWNER_H

#include <stddef.h>

#define OWNER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define COUNT(array)		     (sizeof(array) / sizeof((array)[0]))

#endif
