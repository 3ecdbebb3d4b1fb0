#include "platform/intercept.h"

#include <errno.h>

const struct filter *platform_filter(bool names, struct err *err)
{
	(void)names;
	(void)err_set(err, ENOTSUP, "this system cannot report a bind(2)");
	return NULL;
}

int platform_filter_works(struct err *err)
{
	return platform_filter(true, err) ? 0 : -1;
}

enum trap_pending platform_trap_pending(int listener)
{
	(void)listener;
	return TRAP_OVER;
}

int platform_filter_install(const struct filter *f)
{
	(void)f;
	errno = ENOTSUP;
	return -1;
}

int platform_trap_catch(int listener, struct process *ret, int *ret_result, struct err *err)
{
	(void)listener;
	(void)ret;
	(void)ret_result;
	return err_set(err, ENOTSUP, "this system cannot report a bind(2)");
}

bool platform_trap_caught(int result, struct trap *ret, int *ret_own)
{
	(void)result;
	(void)ret;
	(void)ret_own;
	return false;
}

int platform_message_catch(int conversation, struct process *ret, int *ret_result,
			   struct err *err)
{
	return platform_trap_catch(conversation, ret, ret_result, err);
}

bool platform_trap_waits(int listener, const struct trap *t)
{
	(void)listener;
	(void)t;
	return false;
}

bool platform_trap_is_elsewhere(const struct trap *t)
{
	(void)t;
	return false;
}

int platform_trap_replace(int listener, const struct trap *t, int fd)
{
	(void)listener;
	(void)t;
	(void)fd;
	errno = ENOTSUP;
	return -1;
}

void platform_trap_answer(int listener, const struct trap *t, int why)
{
	(void)listener;
	(void)t;
	(void)why;
}

void platform_trap_continue(int listener, const struct trap *t)
{
	(void)listener;
	(void)t;
}

void platform_trap_again(pid_t worker)
{
	(void)worker;
}
