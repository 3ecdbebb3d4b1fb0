/* What cgroup.c and cgroup_base.c share. */
#ifndef HOLDPORT_PLATFORM_LINUX_CGROUP_BASE_H
#define HOLDPORT_PLATFORM_LINUX_CGROUP_BASE_H

/* All of a file of a group, NULL: there is none; the caller owns it. */
char *cgroup_read(int dir, const char *file);
int cgroup_write(int dir, const char *file, const char *text);	/* 0, or -1 and errno */

#endif
