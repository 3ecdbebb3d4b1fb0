/* A log file and what it was before it was turned over: FILE.2, FILE.1, FILE, read as
 * one, packed ones (FILE.2.gz) too.  Bytes come out as they are. */
#ifndef HOLDPORT_CLI_LOG_READER_H
#define HOLDPORT_CLI_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct log_reader {
	char *path;
	int fd;				/* the newest that was read from; -1: none yet */
};

void log_reader_init(struct log_reader *r, const char *path);
void log_reader_fini(struct log_reader *r);
/* Adds the last lines, as many as there are; later reads go on behind them.  -1: there
 * is a file that cannot be read. */
int log_reader_last(struct log_reader *r, int64_t lines, struct str *out, struct err *err);
/* Adds what came since; a piece of it: false when there is nothing more now. */
bool log_reader_more(struct log_reader *r, struct str *out);

#endif
