#include "process/pid_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/owner.h"

enum { AGAIN_MS = 5000 };

struct pid_written {
	char *path;
	pid_t pid;
	struct loop *loop;
	struct loop_timer again;
	int why;			/* errno of the last try, 0: written */
};

static void write_it(struct pid_written *f);

static void on_again(struct loop_timer *t)
{
	write_it(OWNER(t, struct pid_written, again));
}

static void write_it(struct pid_written *f)
{
	char *text = mem_format("%ld\n", (long)f->pid);
	int why = fd_replace_file(f->path, text, 0644) < 0 ? errno : 0;

	if (why && why != f->why)
		log_warning("pid file %s: %s; it is tried again every %d s", f->path,
			    strerror(why), AGAIN_MS / 1000);
	else if (!why && f->why)
		log_notice("pid file %s: written now", f->path);
	f->why = why;
	if (why)
		loop_timer_start(f->loop, &f->again, AGAIN_MS, on_again);
	free(text);
}

void pid_file_start(struct pid_file *f, struct loop *loop, char *path, pid_t pid)
{
	f->file = NULL;
	if (!path)
		return;
	f->file = MEM_NEW(struct pid_written);
	*f->file = (struct pid_written){ .path = path, .pid = pid, .loop = loop };
	write_it(f->file);
}

static bool is_ours(const struct pid_written *f)
{
	char *text = fd_read_file(f->path, 64);
	bool ours = text && strtol(text, NULL, 10) == (long)f->pid;

	free(text);
	return ours;
}

void pid_file_stop(struct pid_file *f)
{
	struct pid_written *file = f->file;

	f->file = NULL;
	if (!file)
		return;
	loop_timer_stop(&file->again);
	if (!file->why && is_ours(file))
		(void)unlink(file->path);
	free(file->path);
	free(file);
}
