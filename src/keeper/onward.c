#include "keeper/onward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/process.h"

/* No descriptor is held for what begins so. */
#define MANAGER HOLD_ASIDE "manager"
#define FOSTER	HOLD_ASIDE "foster"
#define FILES	HOLD_ASIDE "files"
#define ORPHANED HOLD_ASIDE "orphaned"
#define UNTAKEN HOLD_ASIDE "untaken"

static int say(int file, int64_t number, int fd, const char *what)
{
	struct hold_left left = { .number = number, .fd = fd };

	(void)snprintf(left.what, sizeof(left.what), "%s", what);
	return write(file, &left, sizeof(left)) == (ssize_t)sizeof(left) ? 0 : -1;
}

static int write_all(int file, const struct hold *h, const struct onward *o)
{
	if (say(file, o->manager, o->channel, MANAGER) < 0 ||
	    say(file, (int64_t)o->files, -1, FILES) < 0 ||
	    (o->orphaned && say(file, 1, -1, ORPHANED) < 0))
		return -1;
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&o->untaken, number) == 1 && say(file, number, -1, UNTAKEN) < 0)
			return -1;
	for (size_t i = 0; i < h->foster_count; i++)
		if (say(file, h->fosters[i], -1, FOSTER) < 0)
			return -1;
	for (size_t i = 0; i < h->count; i++)
		if (h->items[i].fd >= 0 &&
		    say(file, (int64_t)i, h->items[i].fd, h->items[i].what) < 0)
			return -1;
	return 0;
}

static void set_flags(const struct hold *h, const struct onward *o, int file, int flag)
{
	(void)fcntl(file, F_SETFD, flag);
	(void)fcntl(o->channel, F_SETFD, flag);
	for (size_t i = 0; i < h->count; i++)
		if (h->items[i].fd >= 0)
			(void)fcntl(h->items[i].fd, F_SETFD, flag);
}

int onward_write(const struct hold *h, const struct onward *o, struct err *err)
{
	int file = platform_anonymous_file("holdport-onward");

	if (file < 0 || write_all(file, h, o) < 0) {
		(void)err_sys(err, errno, "cannot write down what is held");
		fd_close(&file);
		return -1;
	}
	set_flags(h, o, file, 0);
	return file;
}

void onward_undo(const struct hold *h, const struct onward *o, int *file)
{
	if (*file >= 0)
		set_flags(h, o, *file, FD_CLOEXEC);
	fd_close(file);
}

static void take(const struct hold_left *left, struct hold *h, struct onward *ret)
{
	if (strcmp(left->what, MANAGER) == 0) {
		ret->manager = (pid_t)left->number;
		ret->channel = left->fd;
		(void)fcntl(left->fd, F_SETFD, FD_CLOEXEC);
	} else if (strcmp(left->what, FILES) == 0) {
		ret->files = (rlim_t)left->number;
	} else if (strcmp(left->what, ORPHANED) == 0) {
		ret->orphaned = true;
	} else if (strcmp(left->what, UNTAKEN) == 0) {
		(void)sigaddset(&ret->untaken, (int)left->number);
	} else if (strcmp(left->what, FOSTER) == 0) {
		hold_foster(h, &(int32_t){ (int32_t)left->number }, 1);
	}
}

bool onward_read(int *file, struct hold *h, struct onward *ret)
{
	struct hold_left left;
	off_t at = 0;

	*ret = (struct onward){ .channel = -1 };
	(void)sigemptyset(&ret->untaken);
	for (; pread(*file, &left, sizeof(left), at) == (ssize_t)sizeof(left);
	     at += (off_t)sizeof(left))
		take(&left, h, ret);
	hold_inherit(h, file);
	return ret->manager > 0 && ret->channel >= 0;
}
