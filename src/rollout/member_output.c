/* Where the output of a worker goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "process/launch.h"
#include "rollout/generation.h"
#include "rollout/member.h"
#include "rollout/program.h"

/* As one that is told of late expansions. */
static char *path_of(const struct member *m, const char *late, struct err *err)
{
	struct launch_spec spec = {
		.program = m->means->program, .held = m->held,
		.held_count = m->means->held_count, .generation = m->generation->number,
		.index = m->index, .slot = m->slot,
	};
	struct launch_names names = { .spec = &spec };

	return launch_expand(&names, late, err);
}

static int take_path(char *path, struct log_target *ret, struct err *err)
{
	if (path && strlen(path) >= LOG_PATH_SIZE) {
		free(path);
		return err_set(err, ENAMETOOLONG, "the path of its log is too long");
	}
	ret->path = path;
	return path ? 0 : -1;
}

static const enum log_to places[] = {
	[OUTPUT_SYSLOG] = LOG_TO_SYSLOG, [OUTPUT_JOURNAL] = LOG_TO_JOURNAL,
};

static const char *const words[] = { [LOG_TO_SYSLOG] = "syslog", [LOG_TO_JOURNAL] = "journal" };

/* The caller frees its path.  NULL: another process has no part in it. */
static int target_of(const struct member *m, const struct output *o, struct log_target *ret,
		     struct err *err)
{
	const struct program_settings *p = m->means->program;
	bool log = o->how == OUTPUT_LOG;

	*ret = (struct log_target){
		.to = places[o->how], .facility = p->log_facility, .pid = m->worker.pid,
		.max_size = p->log_max_size, .keep = p->log_keep,
		.rate = p->log_rate, .burst = p->log_burst,
		.max_age = p->log_max_age > 0 ? p->log_max_age : 0,
		.pack = p->log_compress == LOG_COMPRESS_GZIP,
		.stamps = log && p->log_timestamps,
		.prefix = o->how != OUTPUT_FILE && p->log_prefix,
	};
	if (ret->to != LOG_TO_FILE)
		return take_path(mem_format("%s:%s", words[ret->to], p->name), ret, err);
	if (!log && o->how != OUTPUT_FILE)
		return 0;
	return take_path(path_of(m, log ? p->log_file : o->file, err), ret, err);
}

int member_can_listen(const struct member *m, struct err *err)
{
	const struct program_settings *p = m->means->program;
	struct log_target out, errors = { 0 };
	int rc = 0;

	if (target_of(m, &p->out, &out, err) < 0 || target_of(m, &p->err, &errors, err) < 0)
		rc = err_in(err, "output");
	free(out.path);
	free(errors.path);
	return rc;
}

/* One for all that the program says here; who writes logs has another. */
static struct ration *ration_of(const struct member *m)
{
	const struct program_settings *s = m->means->program;
	struct program *p = m->generation->program;

	if (!s->log_rate)
		return NULL;
	ration_set(&p->ration, s->log_rate, s->log_burst, loop_now(p->rollout->loop));
	return &p->ration;
}

static void listen_to(struct member *m, const struct output *o, struct capture *c, int fd)
{
	struct rollout *r = m->generation->program->rollout;
	struct log_target target;

	if (fd < 0)
		return;
	if (target_of(m, o, &target, NULL) == 0 && target.path && r->logs)
		capture_write(c, r->logs, fd, m->name, &target);
	else
		capture_start(c, r->loop, fd, m->name, ration_of(m));
	free(target.path);
}

void member_listen(struct member *m, int out, int errors)
{
	listen_to(m, &m->means->program->out, &m->out, out);
	listen_to(m, &m->means->program->err, &m->err, errors);
}
