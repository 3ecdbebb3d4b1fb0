#include "logs/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "base/str.h"

static char *path;		/* of a file; NULL otherwise */
static int fd = -1;		/* the file or the journal */

/* What LOG_LEVELS are for syslog(3): the same order, other numbers. */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,	  [LOG_LEVEL_WARNING] = LOG_WARNING,
	[LOG_LEVEL_NOTICE] = LOG_NOTICE,  [LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

static void to_syslog(enum log_level level, const char *line, void *ctx)
{
	(void)ctx;
	syslog(priorities[level], "%s", line);
}

static void to_journal(enum log_level level, const char *line, void *ctx)
{
	struct str entry = { 0 };

	(void)ctx;
	str_addf(&entry, "SYSLOG_IDENTIFIER=holdport\nPRIORITY=%d\nMESSAGE=%s\n",
		 priorities[level], line);
	(void)send(fd, entry.data, entry.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	str_fini(&entry);
}

static void to_file(enum log_level level, const char *line, void *ctx)
{
	char now[CLOCK_RFC3339_SIZE];

	(void)ctx;
	(void)dprintf(fd, "%s %s: %s\n", clock_rfc3339(time(NULL), now), log_level_word(level),
		      line);
}

static int open_nothing(const char *where, int *ret, struct err *err)
{
	(void)where;
	(void)err;
	*ret = -1;
	return 0;
}

static int open_syslog(const char *where, int *ret, struct err *err)
{
	openlog("holdport", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	return open_nothing(where, ret, err);
}

static int open_journal(const char *where, int *ret, struct err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX,
				  .sun_path = "/run/systemd/journal/socket" };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s < 0 || connect(s, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		(void)err_sys(err, errno, "log = %s: no journal listens at %s", where,
			      sa.sun_path);
		fd_close(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

static int open_file(const char *where, int *ret, struct err *err)
{
	int file = open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (file < 0)
		return err_sys(err, errno, "log = %s: cannot open it", where);
	*ret = file;
	return 0;
}

static const struct {
	const char *word;	/* NULL: a path */
	int (*open)(const char *where, int *ret, struct err *err);
	log_sink_fn *sink;
} kinds[] = {
	{ "stderr", open_nothing, NULL },
	{ "syslog", open_syslog, to_syslog },
	{ "journal", open_journal, to_journal },
	{ NULL, open_file, to_file },
};

int sink_open(const char *where, struct err *err)
{
	size_t kind = 0;
	int opened;

	while (kinds[kind].word && strcmp(kinds[kind].word, where) != 0)
		kind++;
	if (kinds[kind].open(where, &opened, err) < 0)
		return -1;
	sink_close();
	fd = opened;
	path = kinds[kind].word ? NULL : mem_text(where);
	log_to(kinds[kind].sink, NULL);
	return 0;
}

void sink_reopen(void)
{
	struct err err;
	int opened;

	if (!path)
		return;
	if (open_file(path, &opened, &err) < 0) {
		log_error("%s; the old file is written on", err.text);
		return;
	}
	fd_close(&fd);
	fd = opened;
}

void sink_close(void)
{
	log_to(NULL, NULL);
	fd_close(&fd);
	free(path);
	path = NULL;
}
