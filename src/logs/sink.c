#include "logs/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "logs/outlet.h"

static char *path;		/* of a file; NULL otherwise */
static int fd = -1;		/* of that */
static struct outlet outlet = { .fd = -1 };
static unsigned long lost;	/* lines that nobody took */

/* What LOG_LEVELS are for syslog(3): the same order, other numbers. */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,	  [LOG_LEVEL_WARNING] = LOG_WARNING,
	[LOG_LEVEL_NOTICE] = LOG_NOTICE,  [LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* Not by syslog(3), which waits for who does not read. */
static bool to_outlet(enum log_level level, const char *line)
{
	const struct entry e = { .identity = "holdport", .pid = getpid(), .facility = LOG_DAEMON,
				 .priority = priorities[level], .text = line,
				 .length = strlen(line), .when = time(NULL) };

	return outlet_send(&outlet, &e, 0, NULL) == 0;
}

static bool to_file(enum log_level level, const char *line)
{
	char now[CLOCK_RFC3339_SIZE];

	return dprintf(fd, "%s %s: %s\n", clock_rfc3339(time(NULL), now), log_level_word(level),
		       line) >= 0;
}

/* What was lost is said before what comes after it. */
static void put(enum log_level level, const char *line, bool (*to)(enum log_level, const char *))
{
	char text[80];

	if (lost) {
		(void)snprintf(text, sizeof(text), "%lu lines were lost here: nobody took them", lost);
		if (to(LOG_LEVEL_WARNING, text))
			lost = 0;
	}
	if (lost || !to(level, line))
		lost++;
}

static void put_to_outlet(enum log_level level, const char *line, void *ctx)
{
	(void)ctx;
	put(level, line, to_outlet);
}

static void put_to_file(enum log_level level, const char *line, void *ctx)
{
	(void)ctx;
	put(level, line, to_file);
}

static int open_nothing(const char *where, int *ret, struct err *err)
{
	(void)where;
	(void)err;
	*ret = -1;
	return 0;
}

/* One that comes later gets what is said then. */
static int open_syslog(const char *where, int *ret, struct err *err)
{
	struct outlet o = { .to = LOG_TO_SYSLOG, .fd = -1 };

	(void)outlet_open(&o, NULL);
	*ret = o.fd;
	(void)where;
	(void)err;
	return 0;
}

static int open_journal(const char *where, int *ret, struct err *err)
{
	struct outlet o = { .to = LOG_TO_JOURNAL, .fd = -1 };

	if (outlet_open(&o, err) < 0)
		return err_in(err, "log = %s", where);
	*ret = o.fd;
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
	enum log_to to;
} kinds[] = {
	{ "stderr", open_nothing, NULL, LOG_TO_FILE },
	{ "syslog", open_syslog, put_to_outlet, LOG_TO_SYSLOG },
	{ "journal", open_journal, put_to_outlet, LOG_TO_JOURNAL },
	{ NULL, open_file, put_to_file, LOG_TO_FILE },
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
	outlet.to = kinds[kind].to;
	*(kinds[kind].to == LOG_TO_FILE ? &fd : &outlet.fd) = opened;
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
	outlet_close(&outlet);
	free(path);
	path = NULL;
}
