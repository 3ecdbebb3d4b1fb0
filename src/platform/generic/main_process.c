#include <errno.h>

#include "platform/process.h"

int platform_find_main(const struct process *worker, const struct main_claim *claim,
		       struct process *ret, struct err *err)
{
	(void)worker, (void)claim, (void)ret;
	return err_set(err, ENOTSUP, "this system cannot hold a process that is not a child");
}

bool platform_has_ended(const struct process *p)
{
	(void)p;
	return true;
}
