#include "rollout/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/platform.h"
#include "platform/process.h"

static int open_output(const struct output *o, int ours, int *ret_read, int *ret_close, int *ret,
		       struct err *err)
{
	int write_end;

	if (o->how == OUTPUT_NULL)
		*ret = SPAWN_FD_NULL;
	else if (o->how == OUTPUT_INHERIT)
		*ret = ours;
	else {
		if (platform_output_pipe(ret_read, &write_end, err) < 0)
			return -1;
		*ret = *ret_close = write_end;
	}
	return 0;
}

static int open_ready(const struct program_settings *s, struct pipes *p, struct err *err)
{
	int ends[2];

	if (s->ready.how != READY_FD)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe for readiness");
	(void)fd_non_blocking(ends[0], 1);
	p->ready_read = ends[0];
	p->ready = ends[1];
	return 0;
}

void pipes_close_ours(struct pipes *p)
{
	fd_close(&p->out_read);
	fd_close(&p->err_read);
	fd_close(&p->ready_read);
}

void pipes_close_theirs(struct pipes *p)
{
	fd_close(&p->close_out);
	fd_close(&p->close_err);
	fd_close(&p->ready);
}

int pipes_open(const struct program_settings *s, struct pipes *p, struct err *err)
{
	if (open_output(&s->out, STDOUT_FILENO, &p->out_read, &p->close_out, &p->out, err) < 0)
		return -1;
	p->err = p->out;
	if (s->err.how != OUTPUT_STDOUT &&
	    open_output(&s->err, STDERR_FILENO, &p->err_read, &p->close_err, &p->err, err) < 0)
		return -1;
	return open_ready(s, p, err);
}
